SELECT id, name, digest, rights, queues, rate, burst, created_at, expires_at, last_used_at, quota
FROM ferryman.api_key ORDER BY name, created_at, id;
