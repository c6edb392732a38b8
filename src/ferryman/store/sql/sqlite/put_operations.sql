INSERT OR REPLACE INTO operation
    (id, spec, status, step, cursor, next_at, examined, changed, skipped, finished_at, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
