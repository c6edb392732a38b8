UPDATE api_key SET expires_at = :now
WHERE id IN (SELECT value FROM json_each(:ids)) AND (expires_at IS NULL OR expires_at > :now);
