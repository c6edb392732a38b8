DELETE FROM failure WHERE id IN (SELECT value FROM json_each(:ids));
