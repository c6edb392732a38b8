INSERT INTO journal (at, changes) VALUES (?, ?);
