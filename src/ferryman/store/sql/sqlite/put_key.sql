INSERT INTO key (scope, key, job, body_hash, expires_at) VALUES (:scope, :key, :job, :body_hash, :expires_at)
ON CONFLICT (scope, key) DO UPDATE
SET job = excluded.job, body_hash = excluded.body_hash, expires_at = excluded.expires_at;
