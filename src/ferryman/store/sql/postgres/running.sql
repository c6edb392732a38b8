-- the open runs of these jobs: id, number, attempt, node, claimed_at
SELECT run.id::text, run.number, run.attempt, node.id, claim.claimed_at
FROM ferryman.claim
CROSS JOIN LATERAL unnest(claim.ids, claim.numbers, claim.attempts) AS run (id, number, attempt)
LEFT JOIN ferryman.node ON node.number = claim.node
WHERE run.id = ANY ($1::uuid[])
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL;
