DELETE FROM outcome WHERE id IN (SELECT value FROM json_each(:ids));
