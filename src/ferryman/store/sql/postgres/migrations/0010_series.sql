-- what charts are made of: see domain/series.py. When samples were taken; the first one, at 0, is of now
CREATE TABLE ferryman.moment (
    at bigint PRIMARY KEY
);

-- what had happened to the jobs of a queue and a type by the end of a minute; left out where it is as the one before
CREATE TABLE ferryman.sample (
    queue     text NOT NULL,
    type      text NOT NULL,
    at        bigint NOT NULL,
    created   bigint NOT NULL,
    completed bigint NOT NULL,
    failed    bigint NOT NULL,
    cancelled bigint NOT NULL,
    retried   bigint NOT NULL,
    rescued   bigint NOT NULL,
    pending   bigint NOT NULL,
    PRIMARY KEY (queue, type, at)
);

-- how long the runs waited and took that a node ended in a minute, as JSON: bucket -> how many. Node 0 has whole hours
CREATE TABLE ferryman.timing (
    at    bigint NOT NULL,
    node  bigint NOT NULL,
    queue text NOT NULL,
    type  text NOT NULL,
    waits text NOT NULL,
    runs  text NOT NULL,
    PRIMARY KEY (at, node, queue, type)
);

-- those that are still to be folded into hours
CREATE INDEX timing_minutes ON ferryman.timing (at) WHERE node <> 0;

INSERT INTO ferryman.moment (at) VALUES (0);
INSERT INTO ferryman.sample (queue, type, at, created, completed, failed, cancelled, retried, rescued, pending)
SELECT lane.queue, lane.type, 0,
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'created'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'completed'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'failed'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'cancelled'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'retried'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'rescued'), 0),
    coalesce(sum(tally.n) FILTER (WHERE tally.what = 'pending'), 0)
FROM ferryman.tally JOIN ferryman.lane ON lane.number = tally.lane GROUP BY lane.queue, lane.type;
