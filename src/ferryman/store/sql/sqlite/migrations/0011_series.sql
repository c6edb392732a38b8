-- what charts are made of: see domain/series.py. When samples were taken; the first one, at 0, is of now
CREATE TABLE moment (
    at INTEGER PRIMARY KEY
) STRICT;

-- what had happened to the jobs of a queue and a type by the end of a minute; left out where it is as the one before
CREATE TABLE sample (
    queue     TEXT NOT NULL,
    type      TEXT NOT NULL,
    at        INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    retried   INTEGER NOT NULL,
    rescued   INTEGER NOT NULL,
    pending   INTEGER NOT NULL,
    PRIMARY KEY (queue, type, at)
) STRICT, WITHOUT ROWID;

-- how long the runs waited and took that a node ended in a minute, as JSON: bucket -> how many. Node 0 has whole hours
CREATE TABLE timing (
    at    INTEGER NOT NULL,
    node  INTEGER NOT NULL,
    queue TEXT NOT NULL,
    type  TEXT NOT NULL,
    waits TEXT NOT NULL,
    runs  TEXT NOT NULL,
    PRIMARY KEY (at, node, queue, type)
) STRICT, WITHOUT ROWID;

-- those that are still to be folded into hours
CREATE INDEX timing_minutes ON timing (at) WHERE node <> 0;

INSERT INTO moment (at) VALUES (0);
INSERT INTO sample (queue, type, at, created, completed, failed, cancelled, retried, rescued, pending)
SELECT lane.queue, lane.type, 0,
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'created'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'completed'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'failed'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'cancelled'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'retried'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'rescued'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'pending'), 0)
FROM tally JOIN lane ON lane.number = tally.lane GROUP BY lane.queue, lane.type;
