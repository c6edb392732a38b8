-- a job's key, and as JSON what its declaration says of the key's gate
ALTER TABLE job ADD COLUMN key TEXT;
ALTER TABLE job ADD COLUMN gate TEXT;
ALTER TABLE later ADD COLUMN key TEXT;

-- state is JSON: the rule, who set it, the tokens; due is when a token comes for those who wait
CREATE TABLE gate (
    key   TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    due   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX gate_due ON gate (due) WHERE due IS NOT NULL;

-- jobs that their gates have let in, until their runs have ended, and the places that they had in held;
-- failed: the job has ended, and a sequence waits for it
CREATE TABLE slot (
    id       TEXT PRIMARY KEY,
    key      TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    failed   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX slot_key ON slot (key);
CREATE INDEX slot_failed ON slot (key, id) WHERE failed;

-- the last place that was given to anybody in held
CREATE TABLE place (
    last INTEGER NOT NULL
) STRICT;

INSERT INTO place (last) VALUES (0);
