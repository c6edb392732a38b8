-- The outcomes of runs whose claims the node holds, and the next place of each job. A run that has an outcome already
-- fails all of it; one whose claim row is gone is left out: the answer says which batches are there.
-- $1 node, $2 now, $3 batches of the runs, $4 how many runs of each have ended with these, then one array per column;
-- one that is empty stands for nulls. A condition on a parameter alone spares a look at every run.
WITH live AS MATERIALIZED (
    SELECT batch, asked, ids FROM ferryman.claim
    WHERE node = $1::bigint AND batch = ANY ($3::text::bigint[]) ORDER BY batch FOR UPDATE
),
run AS MATERIALIZED (
    SELECT generate_series(0, cardinality($5::uuid[]) - 1) AS position, unnest($5::uuid[]) AS id,
        unnest($6::text::integer[]) AS number, unnest($7::text::bigint[]) AS batch, unnest($8::text::text[]) AS what,
        unnest($9::text::text[]) AS status, unnest($10::text::integer[]) AS attempt,
        unnest($11::text::bigint[]) AS token, unnest($12::text::integer[]) AS worker,
        unnest($13::text::bigint[]) AS started_at, unnest($14::text::bigint[]) AS finished_at,
        unnest($15::text::integer[]) AS lane, unnest($16::text::integer[]) AS crashes,
        unnest($17::text::integer[]) AS interruptions, unnest($18::text::smallint[]) AS care,
        unnest($19::text::bigint[]) AS run_at, unnest($20::text[]) AS result, unnest($21::text[]) AS error,
        unnest($22::text[]) AS scope, unnest($23::text[]) AS key,
        unnest($24::text[]) AS about
),
told AS MATERIALIZED (
    SELECT run.*, run.about::json ->> 'id' AS group_id, CASE
        WHEN run.status IN ('pending', 'scheduled') AND run.id = ANY (live.asked) THEN 'cancelled'
        ELSE run.status END AS became
    FROM run JOIN live ON live.batch = run.batch
),
written AS (
    INSERT INTO ferryman.outcome
        (id, number, what, status, attempt, batch, token, node, worker, started_at, finished_at)
    SELECT id, number, what, became, attempt, batch, token, $1::bigint, worker, started_at, finished_at FROM told
),
results AS (
    INSERT INTO ferryman.result (id, number, body)
    SELECT id, number, result FROM told WHERE cardinality($20::text[]) > 0 AND result IS NOT NULL
),
failures AS (
    INSERT INTO ferryman.failure (id, number, error, group_id, status)
    SELECT id, number, error, group_id, became FROM told
    WHERE cardinality($21::text[]) > 0 AND error IS NOT NULL
),
seen AS (
    INSERT INTO ferryman.sighting (group_id, since, lane, version, n, first_at, last_at, job, about)
    SELECT group_id, finished_at / 3600000000 * 3600000000, lane,
        coalesce((SELECT node.version FROM ferryman.node WHERE node.number = $1::bigint), ''),
        count(*), min(finished_at), max(finished_at), (array_agg(id ORDER BY finished_at DESC, position DESC))[1],
        min(about)
    FROM told WHERE cardinality($24::text[]) > 0 AND group_id IS NOT NULL GROUP BY 1, 2, 3
),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint), $2::bigint + position, id, number, attempt,
        crashes, interruptions
    FROM told WHERE $18::text <> '{}' AND became = 'pending'
),
scheduled AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions)
    SELECT greatest($2::bigint, run_at), id, lane, care, number, attempt, crashes, interruptions
    FROM told WHERE $18::text <> '{}' AND became = 'scheduled'
),
freed AS (
    DELETE FROM ferryman.key WHERE ctid = ANY (ARRAY(
        SELECT (SELECT key.ctid FROM ferryman.key
            WHERE key.scope = told.scope AND key.key = told.key AND key.job = told.id)
        FROM told
        WHERE cardinality($22::text[]) > 0 AND told.scope IS NOT NULL AND told.became NOT IN ('pending', 'scheduled')))
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT lane, change.what, sum(change.n)
    FROM (SELECT lane, what, became, count(*) AS n FROM told GROUP BY lane, what, became) AS moved
    CROSS JOIN LATERAL (VALUES
        ('processing', -n), (became, n),
        ('retried', CASE WHEN moved.what = 'failed' AND became = 'scheduled' THEN n ELSE 0 END),
        ('rescued', CASE WHEN moved.what = 'lost' THEN n ELSE 0 END)) AS change (what, n)
    WHERE change.n <> 0 GROUP BY lane, change.what
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $2::bigint, array_agg(id), array_agg(lane), array_agg(number),
        array_agg(what), array_agg(became)
    FROM told WHERE (SELECT true FROM ferryman.audience WHERE until > $2::bigint) HAVING count(*) > 0
),
closed AS (
    DELETE FROM ferryman.claim
    WHERE batch = ANY (ARRAY(
        SELECT live.batch FROM live
        JOIN (SELECT unnest($3::text::bigint[]) AS batch, unnest($4::text::integer[]) AS ended) AS sofar
            ON sofar.batch = live.batch
        WHERE sofar.ended = cardinality(live.ids)))
    RETURNING batch
)
SELECT ARRAY(SELECT batch FROM live), ARRAY(SELECT batch FROM closed),
    CASE WHEN $18::text <> '{}' THEN ARRAY(SELECT id::text FROM told WHERE became <> status) ELSE '{}' END;
