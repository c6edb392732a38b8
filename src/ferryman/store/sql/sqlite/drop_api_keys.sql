DELETE FROM api_key WHERE id IN (SELECT value FROM json_each(:ids));
