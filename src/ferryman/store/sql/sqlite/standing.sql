-- where a job stands: its place if it waits, its last outcome, its lane and what `decide` needs
SELECT
    coalesce(ready.lane, later.lane, held.lane, job.lane),
    CASE
        WHEN ready.id IS NOT NULL THEN 'pending'
        WHEN later.id IS NOT NULL THEN 'scheduled'
        WHEN held.id IS NOT NULL THEN 'waiting'
        WHEN outcome.status IN ('completed', 'failed', 'cancelled') THEN outcome.status
        ELSE 'processing'
    END,
    max(coalesce(ready.number, later.number, held.number, 0), coalesce(outcome.number, 0)),
    coalesce(ready.attempt, later.attempt, held.attempt, outcome.attempt, 0),
    job.max_attempts, job.unique_key, job.expires_at, outcome.finished_at, job.key
FROM job
LEFT JOIN ready ON ready.id = job.id
LEFT JOIN later ON later.id = job.id
LEFT JOIN held ON held.id = job.id
LEFT JOIN outcome ON outcome.id = job.id AND outcome.number = (SELECT max(number) FROM outcome WHERE id = job.id)
WHERE job.id = :id;
