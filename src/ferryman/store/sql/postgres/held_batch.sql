-- what a batch still holds, as the claim said it: the columns of its rows, then when it was claimed
SELECT run.id::text, run.number, run.attempt, run.lane, run.crashes, run.interruptions, body.*, claim.claimed_at
FROM ferryman.claim
CROSS JOIN LATERAL unnest(claim.ids, claim.numbers, claim.attempts, claim.lanes, claim.crashes, claim.interruptions)
    WITH ORDINALITY AS run (id, number, attempt, lane, crashes, interruptions, position)
LEFT JOIN LATERAL (
    SELECT payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags, key
    FROM ferryman.job WHERE job.id = run.id LIMIT 1) AS body ON true
WHERE claim.batch = $1::bigint AND claim.node = $2::bigint
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
ORDER BY run.position;
