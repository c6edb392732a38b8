-- those of these jobs (id -> key)
DELETE FROM slot WHERE (key, id) IN (SELECT value, key FROM json_each(:jobs));
