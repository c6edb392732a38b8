-- where a job stands: its place if it waits, its last outcome, its lane and what `decide` needs
SELECT
    coalesce(ready.lane, later.lane, held.lane, job.lane),
    CASE
        WHEN ready.id IS NOT NULL THEN 'pending'
        WHEN later.id IS NOT NULL THEN 'scheduled'
        WHEN held.id IS NOT NULL THEN 'waiting'
        WHEN last.status IN ('completed', 'failed', 'cancelled') THEN last.status
        ELSE 'processing'
    END,
    greatest(coalesce(ready.number, later.number, held.number, 0), coalesce(last.number, 0)),
    coalesce(ready.attempt, later.attempt, held.attempt, last.attempt, 0),
    job.max_attempts, job.unique_key, job.expires_at, last.finished_at, job.key
FROM ferryman.job
LEFT JOIN ferryman.ready ON ready.id = job.id
LEFT JOIN ferryman.later ON later.id = job.id
LEFT JOIN ferryman.held ON held.id = job.id
LEFT JOIN LATERAL (
    SELECT * FROM ferryman.outcome WHERE outcome.id = job.id ORDER BY number DESC LIMIT 1) AS last ON true
WHERE job.id = $1::uuid;
