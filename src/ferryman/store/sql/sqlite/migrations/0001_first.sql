-- Where the row lies is the job's state: the body is written once, only narrow rows move.
-- Times are microseconds since 1970, UTC. Ids are UUIDv7 as text, so that they sort by time.

CREATE TABLE lane (
    number   INTEGER PRIMARY KEY,
    queue    TEXT NOT NULL,
    type     TEXT NOT NULL,
    priority INTEGER NOT NULL,
    UNIQUE (queue, type, priority)
) STRICT;

CREATE TABLE job (
    id           TEXT PRIMARY KEY,
    lane         INTEGER NOT NULL,
    payload      TEXT NOT NULL,
    max_attempts INTEGER NOT NULL,
    timeout      REAL,
    created_at   INTEGER NOT NULL,
    run_at       INTEGER,
    expires_at   INTEGER,
    unique_key   TEXT,
    tags         TEXT
) STRICT, WITHOUT ROWID;

-- pending: one row until the claim deletes it; a job that comes back gets a new arrival
CREATE TABLE ready (
    lane          INTEGER NOT NULL,
    arrival       INTEGER NOT NULL,
    id            TEXT NOT NULL UNIQUE,
    number        INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    crashes       INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    care          INTEGER NOT NULL,
    PRIMARY KEY (lane, arrival)
) STRICT, WITHOUT ROWID;

-- scheduled: waits for its time
CREATE TABLE later (
    run_at        INTEGER NOT NULL,
    id            TEXT NOT NULL UNIQUE,
    lane          INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    crashes       INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    care          INTEGER NOT NULL,
    PRIMARY KEY (run_at, id)
) STRICT, WITHOUT ROWID;

-- waiting: for a limit, a sequence or a parent
CREATE TABLE held (
    key           TEXT NOT NULL,
    sequence      INTEGER NOT NULL,
    id            TEXT NOT NULL UNIQUE,
    lane          INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    crashes       INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    care          INTEGER NOT NULL,
    PRIMARY KEY (key, sequence)
) STRICT, WITHOUT ROWID;

-- processing: one row per claimed batch; jobs is [[id, number, attempt, lane, crashes, interruptions], ..]
CREATE TABLE claim (
    batch      INTEGER PRIMARY KEY,
    node       INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    jobs       TEXT NOT NULL
) STRICT;

-- one row per ended run: the primary key is the fence, the first writer wins
CREATE TABLE outcome (
    id          TEXT NOT NULL,
    number      INTEGER NOT NULL,
    what        TEXT NOT NULL,
    status      TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    batch       INTEGER NOT NULL,
    token       INTEGER NOT NULL,
    node        INTEGER,
    worker      INTEGER,
    started_at  INTEGER,
    finished_at INTEGER NOT NULL,
    PRIMARY KEY (id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX outcome_unhappy ON outcome (status, id) WHERE status IN ('failed', 'cancelled');

CREATE TABLE result (
    id     TEXT NOT NULL,
    number INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE failure (
    id     TEXT NOT NULL,
    number INTEGER NOT NULL,
    error  TEXT NOT NULL,
    PRIMARY KEY (id, number)
) STRICT, WITHOUT ROWID;

-- unique keys (scope 'unique:<type>', freed with the job) and idempotency keys (scope 'idempotency', until they expire)
CREATE TABLE key (
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    job        TEXT NOT NULL,
    body_hash  TEXT,
    expires_at INTEGER,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX key_expiry ON key (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE expiry (
    expires_at INTEGER NOT NULL,
    id         TEXT NOT NULL,
    PRIMARY KEY (expires_at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cancellation (
    id       TEXT NOT NULL,
    number   INTEGER NOT NULL,
    node     INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (id, number)
) STRICT, WITHOUT ROWID;

-- one row per process incarnation; live while ended_at is null
CREATE TABLE node (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    host       TEXT NOT NULL,
    pid        INTEGER NOT NULL,
    version    TEXT NOT NULL,
    queues     TEXT,
    workers    INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;

CREATE TABLE type (
    name          TEXT PRIMARY KEY,
    registered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- how many jobs stand where, and how many events there were; changed in the transaction that changes the fact
CREATE TABLE tally (
    lane INTEGER NOT NULL,
    what TEXT NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (lane, what)
) STRICT, WITHOUT ROWID;
