-- the runs of claim rows that lack an outcome, with what `decide` needs to know
SELECT claim.node, claim.batch, run.id::text, run.number, run.attempt, run.lane, run.crashes, run.interruptions,
    job.max_attempts, job.unique_key, claim.claimed_at, job.key
FROM ferryman.claim
CROSS JOIN LATERAL unnest(claim.ids, claim.numbers, claim.attempts, claim.lanes, claim.crashes, claim.interruptions)
    AS run (id, number, attempt, lane, crashes, interruptions)
LEFT JOIN LATERAL (SELECT max_attempts, unique_key, key FROM ferryman.job WHERE job.id = run.id LIMIT 1) AS job ON true
WHERE ($1::bigint IS NULL OR claim.batch = $1::bigint)
AND ($2::bigint IS NULL OR claim.node = $2::bigint)
AND ($3::bigint IS NULL OR EXISTS (
    SELECT FROM unnest(claim.asked, claim.asked_at) AS wish (id, at) WHERE wish.id = run.id AND wish.at < $3::bigint))
AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
ORDER BY claim.batch, run.id;
