-- due jobs to the ends of their lanes; those with keys before their gates, unless they have slots still
-- $1 now, $2 limit, $3 where to begin
WITH due AS MATERIALIZED (
    SELECT ctid AS place, later.* FROM ferryman.later
    WHERE run_at >= $3::bigint AND run_at <= $1::bigint ORDER BY run_at, id LIMIT $2::integer FOR UPDATE SKIP LOCKED
),
moved AS MATERIALIZED (
    SELECT due.*, CASE WHEN due.key IS NULL THEN false
        ELSE (SELECT true FROM ferryman.slot WHERE slot.key = due.key AND slot.id = due.id) IS NULL END AS gated
    FROM due
),
gone AS (DELETE FROM ferryman.later WHERE ctid = ANY (ARRAY(SELECT place FROM due))),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint),
        $1::bigint + row_number() OVER (ORDER BY run_at, id) - 1, id, number, attempt, crashes, interruptions
    FROM moved WHERE NOT gated
),
held AS (
    INSERT INTO ferryman.held (key, rule, id, lane, care, number, attempt, crashes, interruptions)
    SELECT key, (SELECT job.gate FROM ferryman.job WHERE job.id = moved.id LIMIT 1), id, lane, care, number, attempt,
        crashes, interruptions
    FROM moved WHERE gated ORDER BY run_at, id
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT sums.lane, change.what, change.n
    FROM (SELECT lane, count(*) AS n, count(*) FILTER (WHERE gated) AS held FROM moved GROUP BY lane) AS sums
    CROSS JOIN LATERAL (
        VALUES ('scheduled', -sums.n), ('pending', sums.n - sums.held), ('waiting', sums.held)) AS change (what, n)
    WHERE change.n <> 0
)
-- what is due and was locked by somebody else is theirs to move; after a full batch there may be more that is due
SELECT
    (SELECT count(*) FROM due),
    (SELECT later.run_at FROM ferryman.later
    WHERE (later.run_at, later.id) > (
        CASE WHEN (SELECT count(*) FROM due) < $2::integer THEN $1::bigint ELSE (SELECT max(run_at) FROM due) END,
        CASE WHEN (SELECT count(*) FROM due) < $2::integer THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
            ELSE (SELECT id FROM due ORDER BY run_at DESC, id DESC LIMIT 1) END)
    ORDER BY later.run_at, later.id LIMIT 1),
    ARRAY(SELECT DISTINCT key FROM moved WHERE gated);
