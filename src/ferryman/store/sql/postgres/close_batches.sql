-- claim rows all of whose runs have ended: two writers of their last outcomes did not see each other
DELETE FROM ferryman.claim
WHERE ($1::bigint IS NULL OR node = $1::bigint)
AND NOT EXISTS (
    SELECT FROM unnest(ids, numbers) AS run (id, number)
    WHERE (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL);
