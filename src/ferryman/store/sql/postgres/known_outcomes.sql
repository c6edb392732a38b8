SELECT outcome.id::text, outcome.number, outcome.token, outcome.status
FROM unnest($1::uuid[], $2::integer[]) AS run (id, number)
JOIN ferryman.outcome ON outcome.id = run.id AND outcome.number = run.number;
