INSERT INTO share (lane, key, tag, open)
VALUES (?, ?, ?, ?)
ON CONFLICT (lane, key) DO UPDATE SET tag = excluded.tag, open = excluded.open;
