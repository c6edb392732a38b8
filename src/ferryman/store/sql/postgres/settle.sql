-- new places for jobs that were taken from theirs, in the order in which they are given
-- $1 now, $2 ids, then one array per column: $3 lanes, $4 due or null, $5 cares, $6 numbers, $7 attempts, $8 crashes,
-- $9 interruptions, and where they stood: $10 lanes, $11 statuses
WITH moved AS MATERIALIZED (
    SELECT * FROM unnest(
        $2::uuid[], $3::integer[], $4::bigint[], $5::smallint[], $6::integer[], $7::integer[], $8::integer[],
        $9::integer[], $10::integer[], $11::text[]) WITH ORDINALITY
        AS moved (id, lane, due, care, number, attempt, crashes, interruptions, left_lane, left_status, position)
),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint), $1::bigint + position - 1, id, number, attempt,
        crashes, interruptions
    FROM moved WHERE due IS NULL
),
scheduled AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions)
    SELECT due, id, lane, care, number, attempt, crashes, interruptions FROM moved WHERE due IS NOT NULL
)
INSERT INTO ferryman.tally (lane, what, n)
SELECT change.lane, change.what, sum(change.n)
FROM moved CROSS JOIN LATERAL (VALUES
    (left_lane, left_status, -1), (moved.lane, CASE WHEN due IS NULL THEN 'pending' ELSE 'scheduled' END, 1))
    AS change (lane, what, n)
GROUP BY change.lane, change.what;
