-- a claim row goes only when every run in it has its outcome, whatever the node believes
DELETE FROM claim
WHERE batch IN (SELECT value FROM json_each(:batches))
AND NOT EXISTS (
    SELECT 1 FROM json_each(claim.jobs) AS run
    WHERE NOT EXISTS (
        SELECT 1 FROM outcome WHERE outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1));
