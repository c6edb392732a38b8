-- those that are to be carried out, the oldest first: $1 limit
SELECT id::text, spec, status, step, cursor::text, next_at, examined, changed, skipped, finished_at, error
FROM ferryman.operation WHERE status = 'running' ORDER BY operation.id LIMIT $1::integer;
