INSERT INTO node (id, host, pid, version, queues, workers, started_at)
VALUES (:id, :host, :pid, :version, :queues, :workers, :started_at);
