-- jobs as anybody reads them, of the given ids; those past their retention are left out
-- $1 ids, $2 statuses or null, $3 tags or null, $4-$6 ended before, per status, $7 with payloads, $8 with results
SELECT * FROM (
    SELECT
        job.id::text AS id, lane.type, lane.queue, lane.priority,
        CASE
            WHEN ready.id IS NOT NULL THEN 'pending'
            WHEN later.id IS NOT NULL THEN 'scheduled'
            WHEN held.id IS NOT NULL THEN 'waiting'
            WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.status
            ELSE 'processing'
        END AS status,
        coalesce(ready.attempt, later.attempt, held.attempt, last.attempt, 0) AS attempt,
        job.max_attempts,
        greatest(coalesce(ready.number, later.number, held.number, 0), coalesce(last.number, 0)) AS number,
        CASE WHEN $7::boolean THEN job.payload ELSE 'null' END AS payload, result.body AS result,
        CASE WHEN last.status = 'completed' THEN NULL
            ELSE (SELECT failure.error FROM ferryman.failure
                WHERE failure.id = job.id ORDER BY failure.number DESC LIMIT 1)
        END AS error,
        coalesce(later.run_at, job.run_at) AS run_at,
        job.created_at, run.started_at, last.finished_at, job.expires_at, run.worker, node.id AS node,
        job.unique_key, job.tags
    FROM ferryman.job
    JOIN ferryman.lane ON lane.number = job.lane
    LEFT JOIN LATERAL (SELECT * FROM ferryman.ready WHERE ready.id = job.id LIMIT 1) AS ready ON true
    LEFT JOIN LATERAL (SELECT * FROM ferryman.later WHERE later.id = job.id LIMIT 1) AS later ON true
    LEFT JOIN LATERAL (SELECT * FROM ferryman.held WHERE held.id = job.id LIMIT 1) AS held ON true
    LEFT JOIN LATERAL (
        SELECT * FROM ferryman.outcome WHERE outcome.id = job.id ORDER BY number DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT * FROM ferryman.outcome WHERE outcome.id = job.id AND outcome.started_at IS NOT NULL
        ORDER BY number DESC LIMIT 1) AS run ON true
    LEFT JOIN LATERAL (
        SELECT * FROM ferryman.result WHERE $8::boolean AND result.id = last.id AND result.number = last.number LIMIT 1
    ) AS result ON true
    LEFT JOIN ferryman.node ON node.number = run.node
    WHERE job.id = ANY ($1::uuid[])
) AS jobs
WHERE ($2::text[] IS NULL OR status = ANY ($2::text[]))
AND ($3::text[] IS NULL OR tags::jsonb ?| $3::text[])
AND NOT (status = 'completed' AND finished_at <= $4::bigint)
AND NOT (status = 'failed' AND finished_at <= $5::bigint)
AND NOT (status = 'cancelled' AND finished_at <= $6::bigint);
