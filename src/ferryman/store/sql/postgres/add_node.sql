INSERT INTO ferryman.node (id, host, pid, version, queues, workers, started_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING number;
