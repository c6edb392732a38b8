-- a page of them, the newest first: $1 before, $2 limit
SELECT id::text, spec, status, step, cursor::text, next_at, examined, changed, skipped, finished_at, error
FROM ferryman.operation WHERE id < $1::uuid ORDER BY operation.id DESC LIMIT $2::integer;
