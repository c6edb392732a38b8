-- every key, or those of a name
SELECT json_group_array(json_array(
    id, name, digest, rights, queues, rate, burst, created_at, expires_at, last_used_at, quota))
FROM (SELECT * FROM api_key WHERE :which IS NULL OR name = :which ORDER BY name, created_at, id);
