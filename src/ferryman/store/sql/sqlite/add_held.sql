INSERT INTO held (key, sequence, id, lane, number, attempt, crashes, interruptions, care)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
