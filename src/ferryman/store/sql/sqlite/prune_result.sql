DELETE FROM result WHERE id IN (SELECT value FROM json_each(:ids));
