INSERT INTO ferryman.node (id, host, pid, version, queues, workers, started_at, types)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING number;
