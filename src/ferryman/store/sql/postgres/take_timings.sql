-- those after $1 and up to $2 are taken away
DELETE FROM ferryman.timing WHERE at > $1::bigint AND at <= $2::bigint RETURNING queue, type, at, waits, runs;
