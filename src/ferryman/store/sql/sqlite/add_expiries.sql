INSERT INTO expiry (expires_at, id) VALUES (?, ?);
