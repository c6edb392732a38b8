SELECT run.id::text, run.number
FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.numbers) AS run (id, number)
WHERE claim.node = $1::bigint AND cardinality(claim.asked) > 0 AND run.id = ANY (claim.asked)
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL;
