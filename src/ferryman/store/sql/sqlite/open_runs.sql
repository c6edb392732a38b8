-- the runs of claim rows that lack an outcome, with what `decide` needs to know
SELECT json_group_array(json_array(
    claim.node, claim.batch, run.value ->> 0, run.value ->> 1, run.value ->> 2, run.value ->> 3, run.value ->> 4, run.value ->> 5,
    job.max_attempts, job.unique_key, claim.claimed_at, job.key))
FROM claim, json_each(claim.jobs) AS run
JOIN job ON job.id = run.value ->> 0
LEFT JOIN outcome ON outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1
WHERE outcome.id IS NULL
AND (:batch IS NULL OR claim.batch = :batch)
AND (:node IS NULL OR claim.node = :node)
AND (:asked_before IS NULL OR EXISTS (
    SELECT 1 FROM cancellation
    WHERE cancellation.id = job.id AND cancellation.number = run.value ->> 1
    AND cancellation.asked_at < :asked_before));
