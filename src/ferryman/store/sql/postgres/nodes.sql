-- nodes that have not ended or did so after $1, oldest first, each with the number of its open runs
SELECT node.number, node.id, node.host, node.pid, node.version, node.queues, node.workers, node.started_at, node.ended_at,
    (SELECT count(*) FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.numbers) AS run (id, number)
    WHERE claim.node = node.number AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL),
    node.types, node.wish, node.condition
FROM ferryman.node WHERE node.ended_at IS NULL OR node.ended_at > $1 ORDER BY node.started_at, node.id;
