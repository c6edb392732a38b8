-- a page of them, the newest first
SELECT json_group_array(json_array(
    id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error))
FROM (SELECT * FROM operation WHERE id < :before ORDER BY id DESC LIMIT :limit);
