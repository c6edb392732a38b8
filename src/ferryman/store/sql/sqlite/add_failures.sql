INSERT INTO failure (id, number, error) VALUES (?, ?, ?);
