DELETE FROM expiry WHERE expires_at <= :now AND id IN (SELECT value FROM json_each(:ids));
