INSERT INTO job (id, lane, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags, key, gate)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
