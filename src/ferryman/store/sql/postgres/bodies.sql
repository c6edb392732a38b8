SELECT id::text, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags
FROM ferryman.job WHERE id = ANY ($1::uuid[]);
