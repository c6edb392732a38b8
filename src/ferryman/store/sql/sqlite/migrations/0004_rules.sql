-- what holds for all jobs of a queue or type: see domain/limits.py. level is in millionths of a token, null while full
CREATE TABLE rule (
    scope       TEXT NOT NULL,
    name        TEXT NOT NULL,
    paused      INTEGER NOT NULL,
    concurrency INTEGER,
    rate        REAL,
    burst       INTEGER NOT NULL,
    level       INTEGER,
    at          INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- grows by one with each change of a rule, so that a claim knows at a glance whether it knows them all
CREATE TABLE edition (number INTEGER NOT NULL) STRICT;

INSERT INTO edition (number) VALUES (0);

-- JSON of the types that the node has handlers for; null where a node of an older version registered itself
ALTER TABLE node ADD COLUMN types TEXT;
