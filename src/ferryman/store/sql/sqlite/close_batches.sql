-- a claim row goes only when every run in it has its outcome, whatever the node believes
DELETE FROM claim
WHERE batch IN (SELECT value FROM json_each(:batches))
AND NOT EXISTS (
    SELECT 1 FROM json_each(claim.jobs) AS job
    WHERE NOT EXISTS (
        SELECT 1 FROM outcome WHERE outcome.id = job.value ->> 0 AND outcome.number = job.value ->> 1));
