-- the first :limit pending jobs of these lanes, by priority (unless :by_age), then arrival, with their bodies
SELECT json_group_array(json_array(
    line.lane, line.arrival, line.id, line.number, line.attempt, line.crashes, line.interruptions, line.care,
    job.payload, job.max_attempts, job.timeout, job.created_at, job.run_at, job.expires_at, job.unique_key, job.tags,
    job.key))
FROM (
    SELECT ready.*
    FROM json_each(:lanes) AS asked
    CROSS JOIN lane ON lane.number = asked.value
    CROSS JOIN ready ON ready.lane = lane.number AND ready.arrival IN (
        SELECT front.arrival FROM ready AS front
        WHERE front.lane = lane.number AND front.care <= :care
        ORDER BY front.arrival LIMIT :limit)
    ORDER BY CASE WHEN :by_age THEN 0 ELSE lane.priority END, ready.arrival LIMIT :limit
) AS line
CROSS JOIN job ON job.id = line.id;
