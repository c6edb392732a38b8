-- what a batch still holds, as the claim said it
SELECT claim.claimed_at, run.id::text, run.number, run.attempt, run.lane, run.crashes, run.interruptions
FROM ferryman.claim
CROSS JOIN LATERAL unnest(claim.ids, claim.numbers, claim.attempts, claim.lanes, claim.crashes, claim.interruptions)
    WITH ORDINALITY AS run (id, number, attempt, lane, crashes, interruptions, position)
WHERE claim.batch = $1::bigint AND claim.node = $2::bigint AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
ORDER BY run.position;
