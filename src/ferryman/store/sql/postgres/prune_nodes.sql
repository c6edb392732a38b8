DELETE FROM ferryman.node
WHERE ended_at <= $1::bigint AND NOT EXISTS (SELECT FROM ferryman.claim WHERE claim.node = node.number);
