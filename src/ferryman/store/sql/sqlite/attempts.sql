SELECT json_group_array(json_array(
    run.number, run.what, run.status, run.attempt, failure.error,
    run.started_at, run.finished_at, node.id, run.worker))
FROM (SELECT * FROM outcome WHERE id = :id ORDER BY number) AS run
LEFT JOIN failure ON failure.id = run.id AND failure.number = run.number
LEFT JOIN node ON node.number = run.node;
