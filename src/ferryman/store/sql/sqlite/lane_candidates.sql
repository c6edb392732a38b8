-- the same for one lane, which is the common case
SELECT json_group_array(json_array(
    line.lane, line.arrival, line.id, line.number, line.attempt, line.crashes, line.interruptions, line.care,
    job.payload, job.max_attempts, job.timeout, job.created_at, job.run_at, job.expires_at, job.unique_key, job.tags,
    job.key))
FROM (SELECT * FROM ready WHERE lane = :lane AND care <= :care ORDER BY arrival LIMIT :limit) AS line
CROSS JOIN job ON job.id = line.id;
