-- one that runs and stands at a step, unless somebody else is at it just now: $1 id, $2 step
SELECT id::text, spec, status, step, cursor::text, next_at, examined, changed, skipped, finished_at, error
FROM ferryman.operation WHERE id = $1::uuid AND status = 'running' AND step = $2::bigint FOR UPDATE SKIP LOCKED;
