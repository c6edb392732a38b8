-- jobs as anybody reads them, of the given ids; those past their retention are left out
SELECT json_group_array(json_array(
    id, type, queue, priority, status, attempt, max_attempts, number, payload, result, error, run_at,
    created_at, started_at, finished_at, expires_at, worker, node, unique_key, tags))
FROM (
    SELECT
        job.id AS id, lane.type AS type, lane.queue AS queue, lane.priority AS priority,
        CASE
            WHEN ready.id IS NOT NULL THEN 'pending'
            WHEN later.id IS NOT NULL THEN 'scheduled'
            WHEN held.id IS NOT NULL THEN 'waiting'
            WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.status
            ELSE 'processing'
        END AS status,
        coalesce(ready.attempt, later.attempt, held.attempt, last.attempt, 0) AS attempt,
        job.max_attempts AS max_attempts,
        max(coalesce(ready.number, later.number, held.number, 0), coalesce(last.number, 0)) AS number,
        CASE WHEN :payloads THEN job.payload ELSE 'null' END AS payload, result.body AS result,
        CASE WHEN last.status = 'completed' THEN NULL
            ELSE (SELECT failure.error FROM failure WHERE failure.id = job.id ORDER BY failure.number DESC LIMIT 1)
        END AS error,
        coalesce(later.run_at, job.run_at) AS run_at,
        job.created_at AS created_at, run.started_at AS started_at, last.finished_at AS finished_at,
        job.expires_at AS expires_at, run.worker AS worker, node.id AS node,
        job.unique_key AS unique_key, job.tags AS tags
    FROM json_each(:ids) AS asked
    CROSS JOIN job ON job.id = asked.value
    CROSS JOIN lane ON lane.number = job.lane
    LEFT JOIN ready ON ready.id = job.id
    LEFT JOIN later ON later.id = job.id
    LEFT JOIN held ON held.id = job.id
    LEFT JOIN outcome AS last
        ON last.id = job.id AND last.number = (SELECT max(number) FROM outcome WHERE id = job.id)
    LEFT JOIN outcome AS run
        ON run.id = job.id
        AND run.number = (SELECT max(number) FROM outcome WHERE id = job.id AND started_at IS NOT NULL)
    LEFT JOIN result ON :results AND result.id = last.id AND result.number = last.number
    LEFT JOIN node ON node.number = run.node
)
WHERE (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
AND (:tags IS NULL OR EXISTS (
    SELECT 1 FROM json_each(tags) AS tag WHERE tag.value IN (SELECT value FROM json_each(:tags))))
AND NOT (status = 'completed' AND finished_at <= :completed_before)
AND NOT (status = 'failed' AND finished_at <= :failed_before)
AND NOT (status = 'cancelled' AND finished_at <= :cancelled_before);
