-- the next :limit ids (order: desc) of jobs that have failed of one of these error groups, by failures that led to one
-- of these statuses
SELECT json_group_array(id) FROM (
    SELECT DISTINCT job.id AS id
    FROM json_each(:groups) AS wanted CROSS JOIN json_each(:led_to) AS led CROSS JOIN job ON job.id IN (
        SELECT DISTINCT failure.id FROM failure
        WHERE failure.group_id = wanted.value AND failure.status = led.value AND failure.id < :after
        AND (:lanes IS NULL
            OR (SELECT of.lane FROM job AS of WHERE of.id = failure.id) IN (SELECT value FROM json_each(:lanes)))
        ORDER BY failure.id DESC LIMIT :limit)
    ORDER BY job.id DESC LIMIT :limit);
