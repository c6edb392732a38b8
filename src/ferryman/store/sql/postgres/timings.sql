-- those after $1 and up to $2. $3 queue, $4 type, $5 queues: null is any
SELECT queue, type, at, waits, runs FROM ferryman.timing
WHERE at > $1::bigint AND at <= $2::bigint
AND ($3::text IS NULL OR queue = $3::text) AND ($4::text IS NULL OR type = $4::text)
AND ($5::text[] IS NULL OR queue = ANY ($5::text[]));
