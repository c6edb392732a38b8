DELETE FROM held WHERE id IN (SELECT value FROM json_each(:ids));
