INSERT INTO sighting (group_id, since, lane, version, n, first_at, last_at, job, about)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (group_id, since, lane, version) DO UPDATE SET
    n = n + excluded.n,
    first_at = min(first_at, excluded.first_at),
    last_at = max(last_at, excluded.last_at),
    job = CASE WHEN excluded.last_at >= last_at THEN excluded.job ELSE job END;
