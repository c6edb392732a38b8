DELETE FROM ready WHERE id IN (SELECT value FROM json_each(:ids));
