SELECT run.id::text, run.number, known.token, known.status
FROM unnest($1::uuid[], $2::integer[]) AS run (id, number)
CROSS JOIN LATERAL (
    SELECT token, status FROM ferryman.outcome
    WHERE outcome.id = run.id AND outcome.number = run.number LIMIT 1) AS known;
