-- what holds for all jobs of a queue or type: see domain/limits.py. level is in millionths of a token, null while full.
-- A claim under a limit locks its rules, in the order of (scope, name)
CREATE TABLE ferryman.rule (
    scope       text NOT NULL,
    name        text NOT NULL,
    paused      boolean NOT NULL,
    concurrency bigint,
    rate        double precision,
    burst       bigint NOT NULL,
    level       bigint,
    at          bigint NOT NULL,
    PRIMARY KEY (scope, name)
) WITH (fillfactor = 50);

-- grows by one with each change of a rule, so that a claim knows at a glance whether its node knows them all
CREATE TABLE ferryman.edition (number bigint NOT NULL);

INSERT INTO ferryman.edition (number) VALUES (0);

-- JSON of the types that the node has handlers for; null where a node of an older version registered itself
ALTER TABLE ferryman.node ADD COLUMN types text;
