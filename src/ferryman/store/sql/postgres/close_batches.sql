-- claim rows all of whose runs have ended. $1 node or null, $2 batches or null
DELETE FROM ferryman.claim
WHERE ($1::bigint IS NULL OR node = $1::bigint) AND ($2::bigint[] IS NULL OR batch = ANY ($2::bigint[]))
AND NOT EXISTS (
    SELECT FROM unnest(ids, numbers) AS run (id, number)
    WHERE (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL);
