-- the open runs of a node
SELECT run.id::text, lane.type, lane.queue, run.number, run.attempt, claim.claimed_at
FROM ferryman.claim
CROSS JOIN LATERAL unnest(claim.ids, claim.numbers, claim.attempts, claim.lanes) AS run (id, number, attempt, lane)
CROSS JOIN LATERAL (SELECT type, queue FROM ferryman.lane WHERE lane.number = run.lane) AS lane
WHERE claim.node = (SELECT number FROM ferryman.node WHERE node.id = $1)
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
ORDER BY run.id;
