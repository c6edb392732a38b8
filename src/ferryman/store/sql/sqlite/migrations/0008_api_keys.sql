-- who may use the HTTP API: digest is the SHA-256 of the secret, which itself is stored nowhere.
-- rights and queues are joined by commas; queues NULL is all. A row stays when its key has ended
CREATE TABLE api_key (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    digest       TEXT NOT NULL,
    rights       TEXT NOT NULL,
    queues       TEXT,
    rate         REAL,
    burst        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
