-- what a run has said of itself: JSON of its last progress, null where it has logged only, and how many of its lines
-- were not kept
CREATE TABLE progress (
    id      TEXT NOT NULL,
    number  INTEGER NOT NULL,
    told    TEXT,
    dropped INTEGER NOT NULL,
    PRIMARY KEY (id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    id      TEXT NOT NULL,
    number  INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    level   TEXT NOT NULL,
    logger  TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (id, number, place)
) STRICT, WITHOUT ROWID;
