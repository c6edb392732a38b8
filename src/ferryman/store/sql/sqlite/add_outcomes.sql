INSERT INTO outcome (id, number, what, status, attempt, batch, token, node, worker, started_at, finished_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
