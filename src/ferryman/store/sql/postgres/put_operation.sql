-- of an operation that is locked, what changes: $1 id, $2 status, $3 step, $4 cursor, $5 next_at, $6 examined,
-- $7 changed, $8 skipped, $9 finished_at, $10 error
UPDATE ferryman.operation SET
    status = $2::text, step = $3::bigint, cursor = $4::uuid, next_at = $5::bigint, examined = $6::bigint,
    changed = $7::bigint, skipped = $8::bigint, finished_at = $9::bigint, error = $10::text
WHERE id = $1::uuid;
