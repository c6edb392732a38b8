INSERT INTO ready (lane, arrival, id, number, attempt, crashes, interruptions, care)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);
