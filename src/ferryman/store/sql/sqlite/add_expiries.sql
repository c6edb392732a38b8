INSERT INTO expiry (expires_at, id) VALUES (?, ?)
ON CONFLICT DO NOTHING;
