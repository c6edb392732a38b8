-- what has happened to jobs, a row for what one transaction did (or a part of it, where that is much): JSON of
-- [id, lane, claim number, what, status, at]
CREATE TABLE journal (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    changes TEXT NOT NULL
) STRICT;

-- one row: from when and until when it is taken that somebody reads the journal; else it is not written
CREATE TABLE audience (since INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
INSERT INTO audience (since, until) VALUES (0, 0);
