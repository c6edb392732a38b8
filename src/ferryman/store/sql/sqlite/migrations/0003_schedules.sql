-- what is enqueued by the clock: spec is JSON of the schedule, declaration of what code said of it last.
-- Every tick up to seen_until is dealt with; whoever moves it on stores the jobs in the same transaction
CREATE TABLE schedule (
    name        TEXT PRIMARY KEY,
    spec        TEXT NOT NULL,
    declaration TEXT,
    declared    INTEGER NOT NULL,
    paused      INTEGER NOT NULL,
    seen_until  INTEGER NOT NULL,
    last_job    TEXT,
    fired       INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
