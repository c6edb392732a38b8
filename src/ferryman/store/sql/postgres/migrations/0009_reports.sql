-- what a run has said of itself: JSON of its last progress, null where it has logged only, and how many of its lines
-- were not kept
CREATE TABLE ferryman.progress (
    id      uuid NOT NULL,
    number  integer NOT NULL,
    told    text,
    dropped bigint NOT NULL,
    PRIMARY KEY (id, number)
) PARTITION BY RANGE (id);

CREATE TABLE ferryman.log (
    id      uuid NOT NULL,
    number  integer NOT NULL,
    place   integer NOT NULL,
    attempt integer NOT NULL,
    at      bigint NOT NULL,
    level   text NOT NULL,
    logger  text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (id, number, place)
) PARTITION BY RANGE (id);

CREATE TABLE ferryman.progress_rest PARTITION OF ferryman.progress DEFAULT;
CREATE TABLE ferryman.log_rest PARTITION OF ferryman.log DEFAULT;

-- the days that have partitions get the new ones, too
DO $$
DECLARE
    day text;
    parent text;
BEGIN
    FOR day IN SELECT right(relname, 8) FROM pg_class
        WHERE relnamespace = 'ferryman'::regnamespace AND relkind = 'r' AND relname ~ '^job_[0-9]{8}$'
    LOOP
        FOREACH parent IN ARRAY ARRAY['progress', 'log'] LOOP
            EXECUTE format('CREATE TABLE ferryman.%I PARTITION OF ferryman.%I FOR VALUES FROM (%L) TO (%L)',
                parent || '_' || day, parent, ferryman.first_id(day::date), ferryman.first_id(day::date + 1));
        END LOOP;
    END LOOP;
END
$$;

-- both functions as they were, with the two tables
CREATE OR REPLACE FUNCTION ferryman.make_partitions(day date) RETURNS boolean LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '100ms' AS $$
DECLARE
    parent text;
    child text;
BEGIN
    IF to_regclass('ferryman.job_' || to_char(day, 'YYYYMMDD')) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure', 'progress', 'log'] LOOP
        child := parent || '_' || to_char(day, 'YYYYMMDD');
        EXECUTE format('CREATE TABLE ferryman.%I (LIKE ferryman.%I INCLUDING DEFAULTS)', child, parent);
        EXECUTE format('ALTER TABLE ferryman.%I ATTACH PARTITION ferryman.%I FOR VALUES FROM (%L) TO (%L)',
            parent, child, ferryman.first_id(day), ferryman.first_id(day + 1));
    END LOOP;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION ferryman.drop_partitions(
    day date, completed_before bigint, failed_before bigint, cancelled_before bigint, most integer
) RETURNS integer LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '100ms' AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMMDD');
    parent text;
    kept uuid[];
BEGIN
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure', 'progress', 'log'] LOOP
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
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure', 'progress', 'log'] LOOP
        EXECUTE format('ALTER TABLE ferryman.%I DETACH PARTITION ferryman.%I', parent, parent || '_' || suffix);
        EXECUTE format('INSERT INTO ferryman.%I SELECT * FROM ferryman.%I WHERE id = ANY ($1)',
            parent, parent || '_' || suffix) USING kept;
        EXECUTE format('DROP TABLE ferryman.%I', parent || '_' || suffix);
    END LOOP;
    RETURN cardinality(kept);
END
$$;
