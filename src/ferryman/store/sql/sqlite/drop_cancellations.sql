DELETE FROM cancellation WHERE id IN (SELECT value FROM json_each(:ids));
