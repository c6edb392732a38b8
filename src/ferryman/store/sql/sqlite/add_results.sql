INSERT INTO result (id, number, body) VALUES (?, ?, ?);
