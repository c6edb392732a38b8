-- which job each tick of a schedule has made: the latest of each schedule
CREATE TABLE tick (
    schedule TEXT NOT NULL,
    due_at   INTEGER NOT NULL,
    job      TEXT NOT NULL,
    PRIMARY KEY (schedule, due_at, job)
) STRICT, WITHOUT ROWID;
