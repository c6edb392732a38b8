SELECT job, body_hash, expires_at FROM key WHERE scope = :scope AND key = :key;
