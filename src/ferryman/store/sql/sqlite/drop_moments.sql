DELETE FROM moment WHERE at IN (SELECT value FROM json_each(:moments));
