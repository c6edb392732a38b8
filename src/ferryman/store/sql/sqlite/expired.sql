-- jobs past their expiry; one that runs is the worker's to judge, and stays on the list in case it comes back
SELECT json_group_array(id) FROM (
    SELECT id FROM expiry
    WHERE expires_at <= :now
    AND id NOT IN (
        SELECT run.value ->> 0 FROM claim, json_each(claim.jobs) AS run
        WHERE NOT EXISTS (
            SELECT 1 FROM outcome WHERE outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1))
    ORDER BY expires_at, id LIMIT :limit);
