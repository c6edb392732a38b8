-- the open runs of a node: [id, type, queue, number, attempt, claimed_at]
SELECT json_group_array(json_array(id, type, queue, number, attempt, claimed_at))
FROM (
    SELECT run.value ->> 0 AS id, lane.type, lane.queue, run.value ->> 1 AS number, run.value ->> 2 AS attempt, claim.claimed_at
    FROM node JOIN claim ON claim.node = node.number, json_each(claim.jobs) AS run
    JOIN lane ON lane.number = run.value ->> 3
    WHERE node.id = :id
    AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1)
    ORDER BY run.value ->> 0);
