-- the jobs of these lanes that have been processing longest
SELECT json_group_array(id) FROM (
    SELECT run.value ->> 0 AS id FROM claim, json_each(claim.jobs) AS run
    WHERE run.value ->> 3 IN (SELECT value FROM json_each(:lanes))
    AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1)
    ORDER BY claim.claimed_at, run.value ->> 0 LIMIT :most);
