-- of each queue and type, the last sample up to the start of a period, and the last in each of its steps: a bare column is
-- that of the row with the maximum
SELECT json_group_array(json_array(
    queue, type, at, created, completed, failed, cancelled, retried, rescued, pending))
FROM (
    SELECT line.queue, line.type, max(sample.at) AS at, created, completed, failed, cancelled, retried, rescued, pending
    FROM (
        SELECT queue, type, coalesce((
            SELECT max(at) FROM sample
            WHERE sample.queue = lane.queue AND sample.type = lane.type AND sample.at <= :start), 0) AS first
        FROM lane
        WHERE (:queue IS NULL OR queue = :queue) AND (:type IS NULL OR type = :type)
        AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
        GROUP BY queue, type
    ) AS line
    CROSS JOIN sample ON sample.queue = line.queue AND sample.type = line.type
        AND sample.at >= line.first AND sample.at <= :end
    GROUP BY line.queue, line.type, CASE WHEN sample.at <= :start THEN -1 ELSE (sample.at - :start - 1) / :step END);
