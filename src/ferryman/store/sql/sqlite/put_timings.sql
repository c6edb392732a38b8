INSERT INTO timing (queue, type, at, waits, runs, node) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (at, node, queue, type) DO UPDATE SET waits = excluded.waits, runs = excluded.runs;
