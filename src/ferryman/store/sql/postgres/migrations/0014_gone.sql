-- how many jobs have left a status in which they rested: `tally` counts how many ever came to it, so the difference is
-- how many there are. Nothing is counted here while jobs run: only where one is deleted, or sent back by hand
CREATE TABLE ferryman.gone (
    lane   integer NOT NULL,
    status text NOT NULL,
    n      bigint NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);

INSERT INTO ferryman.gone (lane, status, n)
SELECT ended.lane, ended.what, ended.n - coalesce(kept.n, 0)
FROM (
    SELECT lane, what, sum(n) AS n FROM ferryman.tally
    WHERE what IN ('completed', 'failed', 'cancelled') GROUP BY lane, what
) AS ended
LEFT JOIN (
    SELECT job.lane, last.status, count(*) AS n
    FROM ferryman.job
    JOIN (SELECT DISTINCT ON (id) id, status FROM ferryman.outcome ORDER BY id, number DESC) AS last ON last.id = job.id
    GROUP BY job.lane, last.status
) AS kept ON kept.lane = ended.lane AND kept.status = ended.what
WHERE ended.n <> coalesce(kept.n, 0);

-- Drop the partitions of one day, as before; those that go with it are counted. It plans for itself: the plans of who
-- calls it are for a few rows
CREATE OR REPLACE FUNCTION ferryman.drop_partitions(
    day date, completed_before bigint, failed_before bigint, cancelled_before bigint, most integer
) RETURNS integer LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog SET lock_timeout = '100ms'
SET enable_hashjoin = on SET enable_mergejoin = on SET enable_seqscan = on AS $$
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
            LEFT JOIN (SELECT DISTINCT ON (id) id, status, finished_at FROM ferryman.%I ORDER BY id, number DESC) AS last
                ON last.id = job.id
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
    EXECUTE format($q$
        INSERT INTO ferryman.gone (lane, status, n)
        SELECT job.lane, last.status, count(*)
        FROM ferryman.%I AS job
        JOIN (SELECT DISTINCT ON (id) id, status FROM ferryman.%I ORDER BY id, number DESC) AS last ON last.id = job.id
        LEFT JOIN unnest($1) AS survivor (id) ON survivor.id = job.id
        WHERE survivor.id IS NULL
        GROUP BY job.lane, last.status
        $q$, 'job_' || suffix, 'outcome_' || suffix)
    USING kept;
    FOREACH parent IN ARRAY ARRAY['job', 'outcome', 'result', 'failure', 'progress', 'log'] LOOP
        EXECUTE format('ALTER TABLE ferryman.%I DETACH PARTITION ferryman.%I', parent, parent || '_' || suffix);
        EXECUTE format('INSERT INTO ferryman.%I SELECT * FROM ferryman.%I WHERE id = ANY ($1)',
            parent, parent || '_' || suffix) USING kept;
        EXECUTE format('DROP TABLE ferryman.%I', parent || '_' || suffix);
    END LOOP;
    RETURN cardinality(kept);
END
$$;
