INSERT OR REPLACE INTO schedule
    (name, spec, declaration, declared, paused, seen_until, last_job, fired, skipped, created_at, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
