-- new jobs of which some have keys: the same as `insert`, but that those with keys stand before their gates when due
-- $1-$13 the columns, of which one that is empty is null throughout, $14 now
WITH asked AS MATERIALIZED (
    SELECT $14::bigint + generate_series(0, cardinality($1::uuid[]) - 1) AS arrival, unnest($1::uuid[]) AS id,
        unnest($2::text::integer[]) AS lane, unnest($3::text[]) AS payload,
        unnest($4::text::integer[]) AS max_attempts, unnest($5::text::double precision[]) AS timeout,
        unnest($6::text::bigint[]) AS created_at, unnest($7::text::bigint[]) AS run_at,
        unnest($8::text::bigint[]) AS expires_at, unnest($9::text[]) AS unique_key, unnest($10::text[]) AS tags,
        unnest($11::text::smallint[]) AS care, unnest($12::text[]) AS key, unnest($13::text[]) AS gate
),
bodies AS (
    INSERT INTO ferryman.job
        (id, lane, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags, key, gate)
    SELECT id, lane, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags, key, gate
    FROM asked
),
due AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint), arrival, id, 0, 0, 0, 0
    FROM asked WHERE key IS NULL AND (run_at IS NULL OR run_at <= $14::bigint)
),
gated AS (
    INSERT INTO ferryman.held (key, rule, id, lane, care, number, attempt, crashes, interruptions)
    SELECT key, gate, id, lane, care, 0, 0, 0, 0
    FROM asked WHERE key IS NOT NULL AND (run_at IS NULL OR run_at <= $14::bigint)
),
waiting AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions, key)
    SELECT run_at, id, lane, care, 0, 0, 0, 0, key FROM asked WHERE run_at > $14::bigint
),
ends AS (
    INSERT INTO ferryman.expiry (expires_at, id) SELECT expires_at, id FROM asked WHERE expires_at IS NOT NULL
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $14::bigint, array_agg(id), array_agg(lane), array_agg(0),
        array_agg('created'::text), array_agg(CASE WHEN run_at > $14::bigint THEN 'scheduled' ELSE 'pending' END)
    FROM asked WHERE (SELECT true FROM ferryman.audience WHERE until > $14::bigint) HAVING count(*) > 0
)
INSERT INTO ferryman.tally (lane, what, n)
SELECT lane, change.what, change.n
FROM (
    SELECT lane, count(*) AS n, count(*) FILTER (WHERE run_at > $14::bigint) AS wait,
        count(*) FILTER (WHERE key IS NOT NULL AND (run_at IS NULL OR run_at <= $14::bigint)) AS held
    FROM asked GROUP BY lane) AS more
CROSS JOIN LATERAL (
    VALUES ('created', n), ('pending', n - wait - held), ('scheduled', wait), ('waiting', held)) AS change (what, n)
WHERE change.n > 0;
