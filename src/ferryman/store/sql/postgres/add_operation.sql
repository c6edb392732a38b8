-- $1-$11 as the columns; gives its id unless it was there
INSERT INTO ferryman.operation (id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error)
VALUES (
    $1::uuid, $2::text, $3::text, $4::bigint, $5::uuid, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint,
    $11::text)
ON CONFLICT (id) DO NOTHING RETURNING id::text;
