-- the next :limit ids (order: asc) from the places where jobs of the wanted statuses can lie
-- (the IN term repeats the condition of the partial index, without which SQLite does not use it)
SELECT json_group_array(id) FROM (
    SELECT id FROM job
    WHERE :everything AND id > :after AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    UNION
    SELECT id FROM ready
    WHERE :pending AND id > :after AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    UNION
    SELECT id FROM later
    WHERE :scheduled AND id > :after AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    UNION
    SELECT id FROM held
    WHERE :waiting AND id > :after AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    UNION
    SELECT run.value ->> 0 FROM claim, json_each(claim.jobs) AS run
    WHERE :processing AND run.value ->> 0 > :after
    AND (:lanes IS NULL OR run.value ->> 3 IN (SELECT value FROM json_each(:lanes)))
    UNION
    SELECT outcome.id FROM outcome CROSS JOIN job ON job.id = outcome.id
    WHERE :failed AND outcome.status IN ('failed', 'cancelled') AND outcome.status = 'failed' AND outcome.id > :after
    AND (:lanes IS NULL OR job.lane IN (SELECT value FROM json_each(:lanes)))
    UNION
    SELECT outcome.id FROM outcome CROSS JOIN job ON job.id = outcome.id
    WHERE :cancelled AND outcome.status IN ('failed', 'cancelled') AND outcome.status = 'cancelled' AND outcome.id > :after
    AND (:lanes IS NULL OR job.lane IN (SELECT value FROM json_each(:lanes)))
    ORDER BY 1 LIMIT :limit);
