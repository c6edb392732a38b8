SELECT json_group_array(json_array(
    outcome.number, outcome.what, outcome.status, outcome.attempt, failure.error,
    outcome.started_at, outcome.finished_at, node.id, outcome.worker))
FROM (SELECT * FROM outcome WHERE id = :id ORDER BY number) AS outcome
LEFT JOIN failure ON failure.id = outcome.id AND failure.number = outcome.number
LEFT JOIN node ON node.number = outcome.node;
