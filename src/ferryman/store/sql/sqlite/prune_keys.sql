DELETE FROM key WHERE (scope, key) IN (
    SELECT scope, key FROM key WHERE expires_at IS NOT NULL AND expires_at <= :now ORDER BY expires_at LIMIT :limit);
