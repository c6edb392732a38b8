DELETE FROM share WHERE key IN (SELECT value FROM json_each(:keys));
