-- the jobs of these lanes that have been processing longest: $1 lanes, $2 how many
SELECT run.id::text
FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.numbers, claim.lanes) AS run (id, number, lane)
WHERE run.lane = ANY ($1::integer[])
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
ORDER BY claim.claimed_at, run.id LIMIT $2::integer;
