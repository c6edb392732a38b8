SELECT run.number, run.what, run.status, run.attempt, failure.error, run.started_at, run.finished_at, node.id, run.worker
FROM ferryman.outcome AS run
LEFT JOIN ferryman.failure ON failure.id = run.id AND failure.number = run.number
LEFT JOIN ferryman.node ON node.number = run.node
WHERE run.id = $1::uuid ORDER BY run.number;
