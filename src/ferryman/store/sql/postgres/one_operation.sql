SELECT id::text, spec, status, step, cursor::text, next_at, examined, changed, skipped, finished_at, error
FROM ferryman.operation WHERE id = $1::uuid;
