DELETE FROM gate WHERE key IN (SELECT value FROM json_each(:keys));
