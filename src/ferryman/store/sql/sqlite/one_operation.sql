-- one of them, or none
SELECT json_group_array(json_array(
    id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error))
FROM operation WHERE id = :id;
