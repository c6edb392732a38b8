-- take jobs from the places where they wait; waits for a claim that is taking one just now
WITH left_ready AS (
    DELETE FROM ferryman.ready WHERE id = ANY ($1::uuid[]) RETURNING id, lane, number, attempt, 'pending' AS status
),
left_later AS (
    DELETE FROM ferryman.later WHERE id = ANY ($1::uuid[]) RETURNING id, lane, number, attempt, 'scheduled' AS status
),
left_held AS (
    DELETE FROM ferryman.held WHERE id = ANY ($1::uuid[]) RETURNING id, lane, number, attempt, 'waiting' AS status
),
gone AS (
    SELECT * FROM left_ready UNION ALL SELECT * FROM left_later UNION ALL SELECT * FROM left_held
)
SELECT gone.id::text, gone.lane, gone.number, gone.attempt, gone.status, job.unique_key, job.key
FROM gone LEFT JOIN LATERAL (SELECT unique_key, key FROM ferryman.job WHERE job.id = gone.id LIMIT 1) AS job ON true;
