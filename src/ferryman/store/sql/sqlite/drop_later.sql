DELETE FROM later WHERE id IN (SELECT value FROM json_each(:ids));
