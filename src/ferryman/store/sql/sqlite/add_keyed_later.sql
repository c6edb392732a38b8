INSERT INTO later (run_at, id, lane, number, attempt, crashes, interruptions, care, key)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
