INSERT INTO node (id, host, pid, version, queues, workers, started_at, types)
VALUES (:id, :host, :pid, :version, :queues, :workers, :started_at, :types);
