SELECT json_group_array(json_array(claim.batch, run.value ->> 0, run.value ->> 1))
FROM claim, json_each(claim.jobs) AS run
LEFT JOIN outcome ON outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1
WHERE claim.node = :node AND outcome.id IS NULL;
