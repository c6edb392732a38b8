-- nodes that have not ended or did so after :since, oldest first, each with the number of its open runs
SELECT json_group_array(json_array(id, host, pid, version, json(queues), workers, started_at, ended_at, claimed, json(types), wish))
FROM (
    SELECT node.*, (
        SELECT count(*) FROM claim, json_each(claim.jobs) AS run
        WHERE claim.node = node.number
        AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1)
    ) AS claimed
    FROM node WHERE node.ended_at IS NULL OR node.ended_at > :since ORDER BY node.started_at, node.id);
