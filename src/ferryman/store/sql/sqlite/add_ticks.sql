INSERT OR IGNORE INTO tick (schedule, due_at, job) VALUES (?, ?, ?);
