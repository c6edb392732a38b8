UPDATE slot SET failed = :failed WHERE id IN (SELECT value FROM json_each(:ids));
