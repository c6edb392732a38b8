-- what operators did: see domain/audit.py. A row is written in the transaction that makes the change, and stays as it is
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    target   TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
