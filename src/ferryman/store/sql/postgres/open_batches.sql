SELECT claim.batch, run.id::text, run.number
FROM ferryman.claim
CROSS JOIN LATERAL unnest(claim.ids, claim.numbers) WITH ORDINALITY AS run (id, number, position)
WHERE claim.node = $1::bigint
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
ORDER BY claim.claimed_at, claim.batch, run.position;
