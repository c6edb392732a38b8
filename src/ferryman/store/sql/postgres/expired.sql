-- jobs past their expiry; one that runs is the worker's to judge, and stays on the list in case it comes back
SELECT expiry.id::text FROM ferryman.expiry
WHERE expiry.expires_at <= $1::bigint
AND expiry.id <> ALL (ARRAY(
    SELECT run.id FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.numbers) AS run (id, number)
    WHERE (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL))
ORDER BY expiry.expires_at, expiry.id LIMIT $2::integer;
