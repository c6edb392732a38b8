-- those of these jobs (id -> key)
UPDATE slot SET failed = :failed WHERE (key, id) IN (SELECT value, key FROM json_each(:jobs));
