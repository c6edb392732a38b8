-- new jobs: bodies, places and tallies. An id that is there already fails all of it.
-- $1-$11 the columns, of which one that is empty is null throughout, $12 now
WITH asked AS MATERIALIZED (
    SELECT $12::bigint + generate_series(0, cardinality($1::uuid[]) - 1) AS arrival, unnest($1::uuid[]) AS id,
        unnest($2::text::integer[]) AS lane, unnest($3::text[]) AS payload,
        unnest($4::text::integer[]) AS max_attempts, unnest($5::text::double precision[]) AS timeout,
        unnest($6::text::bigint[]) AS created_at, unnest($7::text::bigint[]) AS run_at,
        unnest($8::text::bigint[]) AS expires_at, unnest($9::text[]) AS unique_key, unnest($10::text[]) AS tags,
        unnest($11::text::smallint[]) AS care
),
bodies AS (
    INSERT INTO ferryman.job
        (id, lane, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags)
    SELECT id, lane, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags FROM asked
),
due AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint), arrival, id, 0, 0, 0, 0
    FROM asked WHERE run_at IS NULL OR run_at <= $12::bigint
),
waiting AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions)
    SELECT run_at, id, lane, care, 0, 0, 0, 0 FROM asked WHERE $7::text <> '{}' AND run_at > $12::bigint
),
ends AS (
    INSERT INTO ferryman.expiry (expires_at, id)
    SELECT expires_at, id FROM asked WHERE $8::text <> '{}' AND expires_at IS NOT NULL
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $12::bigint, array_agg(id), array_agg(lane), array_agg(0),
        array_agg('created'::text), array_agg(CASE WHEN run_at > $12::bigint THEN 'scheduled' ELSE 'pending' END)
    FROM asked WHERE (SELECT true FROM ferryman.audience WHERE until > $12::bigint) HAVING count(*) > 0
)
INSERT INTO ferryman.tally (lane, what, n)
SELECT lane, change.what, change.n
FROM (SELECT lane, count(*) AS n, count(*) FILTER (WHERE run_at > $12::bigint) AS wait FROM asked GROUP BY lane) AS more
CROSS JOIN LATERAL (VALUES ('created', n), ('pending', n - wait), ('scheduled', wait)) AS change (what, n)
WHERE change.n > 0;
