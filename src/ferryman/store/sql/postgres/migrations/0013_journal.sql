-- what has happened to jobs: a row for what one statement did. A job that was stored has the number 0. `place` is given
-- when the statement is run: who waits for another change of a job gets a later one
CREATE TABLE ferryman.journal (
    place    bigint GENERATED ALWAYS AS IDENTITY,
    xid      bigint NOT NULL,
    at       bigint NOT NULL,
    ids      uuid[] NOT NULL,
    lanes    integer[] NOT NULL,
    numbers  integer[] NOT NULL,
    whats    text[] NOT NULL,
    statuses text[] NOT NULL
);
CREATE INDEX journal_xid ON ferryman.journal (xid);

-- one row: from when and until when it is taken that somebody reads the journal; else it is not written
CREATE TABLE ferryman.audience (
    until bigint PRIMARY KEY,
    since bigint NOT NULL
);
INSERT INTO ferryman.audience (until, since) VALUES (0, 0);

-- what the journal is told in: each telling is of what its snapshot sees and the one before it does not
CREATE TABLE ferryman.telling (
    number   bigint PRIMARY KEY,
    at       bigint NOT NULL,
    snapshot pg_snapshot NOT NULL
);
INSERT INTO ferryman.telling (number, at, snapshot) VALUES (0, 0, pg_current_snapshot());
