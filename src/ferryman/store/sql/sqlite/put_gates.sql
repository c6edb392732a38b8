INSERT INTO gate (key, state, due)
VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET state = excluded.state, due = excluded.due;
