DELETE FROM slot WHERE id IN (SELECT value FROM json_each(:ids));
