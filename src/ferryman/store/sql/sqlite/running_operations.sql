-- those that are to be carried out, the oldest first
SELECT json_group_array(json_array(
    id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error))
FROM (SELECT * FROM operation WHERE status = 'running' ORDER BY id LIMIT :limit);
