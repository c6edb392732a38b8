-- nodes that have ended, or are no more, and still have claim rows
SELECT DISTINCT claim.node FROM ferryman.claim
WHERE NOT EXISTS (SELECT FROM ferryman.node WHERE node.number = claim.node AND node.ended_at IS NULL);
