-- The tellings before the last one that is older than wanted, and what it and they were of: what was told after it is
-- kept, however long ago it was written. Gives how many rows went, and before which transaction none is left behind
-- $1 before when, $2 limit, $3 the first transaction to look at
WITH base AS MATERIALIZED (
    SELECT number, snapshot FROM ferryman.telling WHERE number >= 0 AND at <= $1::bigint ORDER BY number DESC LIMIT 1
),
tellings AS (DELETE FROM ferryman.telling WHERE number < (SELECT number FROM base)),
gone AS (
    DELETE FROM ferryman.journal WHERE ctid = ANY (ARRAY(
        SELECT journal.ctid FROM base CROSS JOIN LATERAL (
            SELECT ctid, xid FROM ferryman.journal
            WHERE xid >= $3::bigint AND xid < pg_snapshot_xmax(base.snapshot)::text::bigint
            AND pg_visible_in_snapshot(xid::text::xid8, base.snapshot)
            ORDER BY xid LIMIT $2::bigint
        ) AS journal))
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone)::integer, (SELECT pg_snapshot_xmin(snapshot)::text::bigint FROM base);
