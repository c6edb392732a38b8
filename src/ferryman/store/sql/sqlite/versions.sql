-- of each of these jobs what changes: status, claim number, queue, priority, time; those past their retention are left out
-- a run that has not ended has the number after that of the last one that has: every number gets an outcome
SELECT json_group_array(json_array(id, status, number, queue, priority, run_at))
FROM (
    SELECT
        job.id AS id, lane.queue AS queue, lane.priority AS priority,
        CASE
            WHEN ready.id IS NOT NULL THEN 'pending'
            WHEN later.id IS NOT NULL THEN 'scheduled'
            WHEN held.id IS NOT NULL THEN 'waiting'
            WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.status
            ELSE 'processing'
        END AS status,
        CASE
            WHEN coalesce(ready.id, later.id, held.id) IS NOT NULL
                THEN max(coalesce(ready.number, later.number, held.number), coalesce(last.number, 0))
            WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.number
            ELSE coalesce(last.number, 0) + 1
        END AS number,
        coalesce(later.run_at, job.run_at) AS run_at, last.finished_at AS finished_at
    FROM json_each(:ids) AS asked
    CROSS JOIN job ON job.id = asked.value
    CROSS JOIN lane ON lane.number = job.lane
    LEFT JOIN ready ON ready.id = job.id
    LEFT JOIN later ON later.id = job.id
    LEFT JOIN held ON held.id = job.id
    LEFT JOIN outcome AS last
        ON last.id = job.id AND last.number = (SELECT max(number) FROM outcome WHERE id = job.id)
)
WHERE NOT (status = 'completed' AND finished_at <= :completed_before)
AND NOT (status = 'failed' AND finished_at <= :failed_before)
AND NOT (status = 'cancelled' AND finished_at <= :cancelled_before);
