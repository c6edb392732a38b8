INSERT INTO failure (id, number, error, group_id, status) VALUES (?, ?, ?, ?, ?);
