-- every schedule by name, or the one of a name
SELECT json_group_array(json_array(
    name, spec, declaration, declared, paused, seen_until, last_job, fired, skipped, created_at, changed_at))
FROM (SELECT * FROM schedule WHERE :which IS NULL OR name = :which ORDER BY name);
