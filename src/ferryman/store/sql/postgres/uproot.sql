-- take jobs from the places where they wait, with all that a place holds; waits for whoever is moving one just now
WITH left_ready AS (
    DELETE FROM ferryman.ready WHERE id = ANY ($1::uuid[])
    RETURNING id, lane, NULL::bigint AS due, care, number, attempt, crashes, interruptions
),
left_later AS (
    DELETE FROM ferryman.later WHERE id = ANY ($1::uuid[])
    RETURNING id, lane, run_at, care, number, attempt, crashes, interruptions
)
SELECT id::text, lane, due, care, number, attempt, crashes, interruptions
FROM (SELECT * FROM left_ready UNION ALL SELECT * FROM left_later) AS gone;
