-- Where the row lies is the job's state: the body is written once, only narrow rows move.
-- Times are microseconds since 1970, UTC. Ids are UUIDv7, so that they sort by time.

CREATE SCHEMA IF NOT EXISTS ferryman;

CREATE TABLE ferryman.migration (
    number     integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ferryman.lane (
    number   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue    text NOT NULL,
    type     text NOT NULL,
    priority smallint NOT NULL,
    UNIQUE (queue, type, priority)
);

-- bodies, outcomes, results and failures lie in one partition for each day of their ids, which is dropped as a whole
CREATE TABLE ferryman.job (
    id           uuid PRIMARY KEY,
    lane         integer NOT NULL,
    payload      text NOT NULL,
    max_attempts integer NOT NULL,
    timeout      double precision,
    created_at   bigint NOT NULL,
    run_at       bigint,
    expires_at   bigint,
    unique_key   text,
    tags         text
) PARTITION BY RANGE (id);

-- pending: one row until the claim deletes it; a job that comes back gets a new place.
-- xid is the transaction that wrote the row: with it a node knows what it has looked at (store/postgres/cursor.py)
CREATE TABLE ferryman.ready (
    lane          integer NOT NULL,
    care          smallint NOT NULL,
    xid           bigint NOT NULL,
    arrival       bigint NOT NULL,
    id            uuid NOT NULL,
    number        integer NOT NULL,
    attempt       integer NOT NULL,
    crashes       integer NOT NULL,
    interruptions integer NOT NULL
) WITH (
    fillfactor = 100, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000, autovacuum_vacuum_cost_delay = 0
);

CREATE UNIQUE INDEX ready_id ON ferryman.ready (id);
CREATE INDEX ready_line ON ferryman.ready (lane, xid, arrival, id) WHERE care < 2;
-- those that may only be claimed alone stand apart, so that nobody steps over them
CREATE INDEX ready_alone ON ferryman.ready (lane, xid, arrival, id) WHERE care = 2;

-- scheduled: waits for its time
CREATE TABLE ferryman.later (
    run_at        bigint NOT NULL,
    id            uuid NOT NULL,
    lane          integer NOT NULL,
    care          smallint NOT NULL,
    number        integer NOT NULL,
    attempt       integer NOT NULL,
    crashes       integer NOT NULL,
    interruptions integer NOT NULL
) WITH (
    fillfactor = 100, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE UNIQUE INDEX later_id ON ferryman.later (id);
CREATE INDEX later_due ON ferryman.later (run_at, id);

-- waiting: for a limit, a sequence or a parent
CREATE TABLE ferryman.held (
    key           text NOT NULL,
    sequence      bigint NOT NULL,
    id            uuid NOT NULL UNIQUE,
    lane          integer NOT NULL,
    care          smallint NOT NULL,
    number        integer NOT NULL,
    attempt       integer NOT NULL,
    crashes       integer NOT NULL,
    interruptions integer NOT NULL,
    PRIMARY KEY (key, sequence)
);

-- processing: one row per claimed batch. Who writes an outcome, or asks for a cancel, locks it first
CREATE TABLE ferryman.claim (
    batch         bigint PRIMARY KEY,
    node          bigint NOT NULL,
    claimed_at    bigint NOT NULL,
    ids           uuid[] NOT NULL,
    numbers       integer[] NOT NULL,
    attempts      integer[] NOT NULL,
    lanes         integer[] NOT NULL,
    crashes       integer[] NOT NULL,
    interruptions integer[] NOT NULL,
    asked         uuid[] NOT NULL DEFAULT '{}',
    asked_at      bigint[] NOT NULL DEFAULT '{}'
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);

ALTER TABLE ferryman.claim ALTER COLUMN ids SET STORAGE EXTERNAL;
CREATE INDEX claim_node ON ferryman.claim (node);

-- one row per ended run: the primary key is the fence, the first writer wins
CREATE TABLE ferryman.outcome (
    id          uuid NOT NULL,
    number      integer NOT NULL,
    what        text NOT NULL,
    status      text NOT NULL,
    attempt     integer NOT NULL,
    batch       bigint NOT NULL,
    token       bigint NOT NULL,
    node        bigint,
    worker      integer,
    started_at  bigint,
    finished_at bigint NOT NULL,
    PRIMARY KEY (id, number)
) PARTITION BY RANGE (id);

CREATE INDEX outcome_unhappy ON ferryman.outcome (status, id) WHERE status IN ('failed', 'cancelled');

CREATE TABLE ferryman.result (
    id     uuid NOT NULL,
    number integer NOT NULL,
    body   text NOT NULL,
    PRIMARY KEY (id, number)
) PARTITION BY RANGE (id);

CREATE TABLE ferryman.failure (
    id     uuid NOT NULL,
    number integer NOT NULL,
    error  text NOT NULL,
    PRIMARY KEY (id, number)
) PARTITION BY RANGE (id);

-- unique keys (scope 'unique:<type>', freed with the job) and idempotency keys (scope 'idempotency', until they expire)
CREATE TABLE ferryman.key (
    scope      text NOT NULL,
    key        text NOT NULL,
    job        uuid NOT NULL,
    body_hash  text,
    expires_at bigint,
    PRIMARY KEY (scope, key)
);

CREATE INDEX key_expiry ON ferryman.key (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE ferryman.expiry (
    expires_at bigint NOT NULL,
    id         uuid NOT NULL,
    PRIMARY KEY (expires_at, id)
);

CREATE INDEX expiry_id ON ferryman.expiry (id);

-- one row per process incarnation; live while ended_at is null. A beat counts on, and renews all that the node holds
CREATE TABLE ferryman.node (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         text NOT NULL UNIQUE,
    host       text NOT NULL,
    pid        integer NOT NULL,
    version    text NOT NULL,
    queues     text,
    workers    integer NOT NULL,
    started_at bigint NOT NULL,
    ended_at   bigint,
    beats      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE INDEX node_live ON ferryman.node (number) WHERE ended_at IS NULL;

-- declared is JSON of what the type declares: queue, priority, max_attempts, secrets; null where nobody has said
CREATE TABLE ferryman.type (
    name          text PRIMARY KEY,
    registered_at bigint NOT NULL,
    declared      text
);

-- how many jobs stand where, and how many events there were: rows are appended in the transaction that changes the
-- fact, and folded into one by the sweeper
CREATE TABLE ferryman.tally (
    lane integer NOT NULL,
    what text NOT NULL,
    n    bigint NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);

-- what belongs to no day that has a partition: ids of long ago, and what was kept when its day was dropped
CREATE TABLE ferryman.job_rest PARTITION OF ferryman.job DEFAULT;
CREATE TABLE ferryman.outcome_rest PARTITION OF ferryman.outcome DEFAULT;
CREATE TABLE ferryman.result_rest PARTITION OF ferryman.result DEFAULT;
CREATE TABLE ferryman.failure_rest PARTITION OF ferryman.failure DEFAULT;

-- the first id that can be minted on a day: a UUIDv7 begins with 48 bits of milliseconds since 1970
CREATE FUNCTION ferryman.first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog AS $$
    SELECT rpad(lpad(to_hex((day - date '1970-01-01') * 86400000::bigint), 12, '0'), 32, '0')::uuid
$$;

-- The functions below run with the rights of whoever migrated, so that a node needs none to make tables. They wait
-- for no reader: a lock that cannot be had at once fails them, and the next sweep tries again.
CREATE FUNCTION ferryman.make_partitions(day date) RETURNS boolean LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '100ms' AS $$
DECLARE
    parent text;
    child text;
BEGIN
    IF to_regclass('ferryman.job_' || to_char(day, 'YYYYMMDD')) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure'] LOOP
        child := parent || '_' || to_char(day, 'YYYYMMDD');
        EXECUTE format('CREATE TABLE ferryman.%I (LIKE ferryman.%I INCLUDING DEFAULTS)', child, parent);
        EXECUTE format('ALTER TABLE ferryman.%I ATTACH PARTITION ferryman.%I FOR VALUES FROM (%L) TO (%L)',
            parent, child, ferryman.first_id(day), ferryman.first_id(day + 1));
    END LOOP;
    RETURN true;
END
$$;

-- Drop the partitions of one day. Jobs of it that wait or run, and those whose retention has not passed, move to the
-- rest; where they are more than `most`, nothing is done. Returns how many were kept, or -1.
CREATE FUNCTION ferryman.drop_partitions(
    day date, completed_before bigint, failed_before bigint, cancelled_before bigint, most integer
) RETURNS integer LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '100ms' AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMMDD');
    parent text;
    kept uuid[];
BEGIN
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure'] LOOP
        EXECUTE format('LOCK TABLE ferryman.%I, ferryman.%I IN ACCESS EXCLUSIVE MODE', parent, parent || '_' || suffix);
    END LOOP;
    EXECUTE format($q$
        SELECT coalesce(array_agg(id), '{}') FROM (
            SELECT job.id FROM ferryman.%I AS job
            LEFT JOIN LATERAL (
                SELECT status, finished_at FROM ferryman.%I AS outcome
                WHERE outcome.id = job.id ORDER BY number DESC LIMIT 1) AS last ON true
            WHERE CASE last.status
                WHEN 'completed' THEN last.finished_at > $1
                WHEN 'failed' THEN last.finished_at > $2
                WHEN 'cancelled' THEN last.finished_at > $3
                ELSE true END
            OR job.id = ANY (ARRAY(SELECT unnest(claim.ids) FROM ferryman.claim))
            LIMIT $4 + 1) AS survivors
        $q$, 'job_' || suffix, 'outcome_' || suffix)
    INTO kept USING completed_before, failed_before, cancelled_before, most;
    IF cardinality(kept) > most THEN
        RETURN -1;
    END IF;
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure'] LOOP
        EXECUTE format('ALTER TABLE ferryman.%I DETACH PARTITION ferryman.%I', parent, parent || '_' || suffix);
        EXECUTE format('INSERT INTO ferryman.%I SELECT * FROM ferryman.%I WHERE id = ANY ($1)',
            parent, parent || '_' || suffix) USING kept;
        EXECUTE format('DROP TABLE ferryman.%I', parent || '_' || suffix);
    END LOOP;
    RETURN cardinality(kept);
END
$$;

SELECT ferryman.make_partitions((now() AT TIME ZONE 'UTC')::date + day) FROM generate_series(0, 2) AS day;
