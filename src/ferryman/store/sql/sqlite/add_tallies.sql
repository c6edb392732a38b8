INSERT INTO tally (lane, what, n) VALUES (?, ?, ?)
ON CONFLICT (lane, what) DO UPDATE SET n = n + excluded.n
RETURNING (SELECT until FROM audience);
