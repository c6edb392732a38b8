-- what a batch still holds, in the shape of candidates; the claim's time stands where they have their arrival
SELECT json_group_array(json_array(
    run.value ->> 3, claim.claimed_at, run.value ->> 0, (run.value ->> 1) - 1, (run.value ->> 2) - 1,
    run.value ->> 4, run.value ->> 5, 0,
    job.payload, job.max_attempts, job.timeout, job.created_at, job.run_at, job.expires_at, job.unique_key, job.tags,
    job.key))
FROM claim CROSS JOIN json_each(claim.jobs) AS run CROSS JOIN job ON job.id = run.value ->> 0
LEFT JOIN outcome ON outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1
WHERE claim.batch = :batch AND claim.node = :node AND outcome.id IS NULL;
