-- $1 now, $2 limit, $3 where to begin
WITH due AS MATERIALIZED (
    SELECT ctid AS place, later.* FROM ferryman.later
    WHERE run_at >= $3::bigint AND run_at <= $1::bigint ORDER BY run_at, id LIMIT $2::integer FOR UPDATE SKIP LOCKED
),
gone AS (DELETE FROM ferryman.later WHERE ctid = ANY (ARRAY(SELECT place FROM due))),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint),
        $1::bigint + row_number() OVER (ORDER BY run_at, id) - 1, id, number, attempt, crashes, interruptions
    FROM due
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT moved.lane, change.what, change.n
    FROM (SELECT lane, count(*) AS n FROM due GROUP BY lane) AS moved
    CROSS JOIN LATERAL (VALUES ('scheduled', -moved.n), ('pending', moved.n)) AS change (what, n)
)
-- what is due and was locked by somebody else is theirs to move; after a full batch there may be more that is due
SELECT
    (SELECT count(*) FROM due),
    (SELECT later.run_at FROM ferryman.later
    WHERE (later.run_at, later.id) > (
        CASE WHEN (SELECT count(*) FROM due) < $2::integer THEN $1::bigint ELSE (SELECT max(run_at) FROM due) END,
        CASE WHEN (SELECT count(*) FROM due) < $2::integer THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
            ELSE (SELECT id FROM due ORDER BY run_at DESC, id DESC LIMIT 1) END)
    ORDER BY later.run_at, later.id LIMIT 1);
