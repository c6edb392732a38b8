SELECT run.number, run.what, run.status, run.attempt, failure.error, run.started_at, run.finished_at, node.id, run.worker
FROM ferryman.outcome AS run
LEFT JOIN LATERAL (
    SELECT error FROM ferryman.failure WHERE failure.id = run.id AND failure.number = run.number LIMIT 1) AS failure ON true
LEFT JOIN ferryman.node ON node.number = run.node
WHERE run.id = $1::uuid ORDER BY run.number;
