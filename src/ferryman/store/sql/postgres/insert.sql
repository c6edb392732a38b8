-- new jobs: bodies, places and tallies. An id that is there already fails all of it.
-- $1-$11 the columns, $12 now
WITH asked AS MATERIALIZED (
    SELECT asked.*, $12::bigint + asked.position - 1 AS arrival
    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::double precision[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::smallint[]) WITH ORDINALITY
        AS asked (id, lane, payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags, care,
            position)
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
    SELECT run_at, id, lane, care, 0, 0, 0, 0 FROM asked WHERE run_at > $12::bigint
),
ends AS (
    INSERT INTO ferryman.expiry (expires_at, id) SELECT expires_at, id FROM asked WHERE expires_at IS NOT NULL
)
INSERT INTO ferryman.tally (lane, what, n)
SELECT lane, what, count(*)
FROM (
    SELECT lane, 'created' AS what FROM asked
    UNION ALL
    SELECT lane, CASE WHEN run_at > $12::bigint THEN 'scheduled' ELSE 'pending' END FROM asked
) AS change
GROUP BY lane, what;
