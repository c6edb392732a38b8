INSERT OR REPLACE INTO api_key
    (id, name, digest, rights, queues, rate, burst, created_at, expires_at, last_used_at, quota)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
