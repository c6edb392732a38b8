-- every open run: [id, number, attempt, node number, node id, claimed_at]; claim rows are few
SELECT json_group_array(json_array(
    run.value ->> 0, run.value ->> 1, run.value ->> 2, claim.node, node.id, claim.claimed_at))
FROM claim, json_each(claim.jobs) AS run
LEFT JOIN node ON node.number = claim.node
WHERE (:id IS NULL OR run.value ->> 0 = :id)
AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1);
