INSERT INTO slot (id, key, sequence)
VALUES (?, ?, ?);
