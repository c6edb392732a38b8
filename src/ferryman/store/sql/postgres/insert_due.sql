-- new jobs that are due and do not expire, which most are: the same as `insert`, and half the tables to open
-- $1-$9 the columns, of which one that is empty is null throughout, $10 now,
-- $11 and $12 the channel and the payload of a ring that goes with it, or empty
WITH asked AS MATERIALIZED (
    SELECT $10::bigint + generate_series(0, cardinality($1::uuid[]) - 1) AS arrival, unnest($1::uuid[]) AS id,
        unnest($2::text::integer[]) AS lane, unnest($3::text[]) AS payload,
        unnest($4::text::integer[]) AS max_attempts, unnest($5::text::double precision[]) AS timeout,
        unnest($6::text::bigint[]) AS created_at, unnest($7::text[]) AS unique_key, unnest($8::text[]) AS tags,
        unnest($9::text::smallint[]) AS care
),
bodies AS (
    INSERT INTO ferryman.job (id, lane, payload, max_attempts, timeout, created_at, unique_key, tags)
    SELECT id, lane, payload, max_attempts, timeout, created_at, unique_key, tags FROM asked
),
due AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint), arrival, id, 0, 0, 0, 0 FROM asked
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $10::bigint, array_agg(id), array_agg(lane), array_agg(0),
        array_agg('created'::text), array_agg('pending'::text)
    FROM asked WHERE (SELECT true FROM ferryman.audience WHERE until > $10::bigint) HAVING count(*) > 0
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT lane, change.what, n
    FROM (SELECT lane, count(*) AS n FROM asked GROUP BY lane) AS more
    CROSS JOIN (VALUES ('created'), ('pending')) AS change (what)
)
SELECT pg_notify($11::text, $12::text) WHERE $12::text <> '';
