-- changes of every job that a filter means, carried out portion by portion: see store/bulk.py
-- spec is JSON of what was asked for; step grows with every portion, and cursor is the id of the last job looked at
CREATE TABLE operation (
    id          TEXT PRIMARY KEY,
    spec        TEXT NOT NULL,
    status      TEXT NOT NULL,
    step        INTEGER NOT NULL,
    cursor      TEXT,
    next_at     INTEGER,
    examined    INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    finished_at INTEGER,
    error       TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX operation_running ON operation (id) WHERE status = 'running';
CREATE INDEX operation_ended ON operation (finished_at) WHERE finished_at IS NOT NULL;
