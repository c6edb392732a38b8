-- a new job: no claim number, no attempts, no crashes, no interruptions yet
INSERT INTO ready (lane, arrival, id, number, attempt, crashes, interruptions, care)
VALUES (?, ?, ?, 0, 0, 0, 0, ?);
