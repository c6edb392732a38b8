-- of each of these jobs what changes: status, claim number, queue, priority, time; those past their retention are left out
-- a run that has not ended has the number after that of the last one that has: every number gets an outcome
-- $1 ids, $2-$4 ended before, per status
SELECT id, status, number, queue, priority, run_at FROM (
    SELECT
        job.id::text AS id, lane.queue, lane.priority,
        CASE
            WHEN ready.id IS NOT NULL THEN 'pending'
            WHEN later.id IS NOT NULL THEN 'scheduled'
            WHEN held.id IS NOT NULL THEN 'waiting'
            WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.status
            ELSE 'processing'
        END AS status,
        CASE
            WHEN coalesce(ready.id, later.id, held.id) IS NOT NULL
                THEN greatest(coalesce(ready.number, later.number, held.number), coalesce(last.number, 0))
            WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.number
            ELSE coalesce(last.number, 0) + 1
        END AS number,
        coalesce(later.run_at, job.run_at) AS run_at, last.finished_at
    FROM ferryman.job
    JOIN ferryman.lane ON lane.number = job.lane
    LEFT JOIN LATERAL (SELECT * FROM ferryman.ready WHERE ready.id = job.id LIMIT 1) AS ready ON true
    LEFT JOIN LATERAL (SELECT * FROM ferryman.later WHERE later.id = job.id LIMIT 1) AS later ON true
    LEFT JOIN LATERAL (SELECT * FROM ferryman.held WHERE held.id = job.id LIMIT 1) AS held ON true
    LEFT JOIN LATERAL (
        SELECT * FROM ferryman.outcome WHERE outcome.id = job.id ORDER BY number DESC LIMIT 1) AS last ON true
    WHERE job.id = ANY ($1::uuid[])
) AS jobs
WHERE NOT (status = 'completed' AND finished_at <= $2::bigint)
AND NOT (status = 'failed' AND finished_at <= $3::bigint)
AND NOT (status = 'cancelled' AND finished_at <= $4::bigint);
