INSERT INTO ferryman.api_key (
    id, name, digest, rights, queues, rate, burst, created_at, expires_at, last_used_at, quota
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at;
