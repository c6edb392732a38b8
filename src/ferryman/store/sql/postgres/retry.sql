-- a marker under the next claim number, and a place at the end of the lane
-- $1 now, $2 id, $3 number, $4 lane, $5 care, $6 expires_at
WITH marked AS (
    INSERT INTO ferryman.outcome (id, number, what, status, attempt, batch, token, finished_at)
    VALUES ($2::uuid, $3::integer, 'retried', 'pending', 0, 0, 0, $1::bigint)
    RETURNING id
),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT $4::integer, $5::smallint, pg_current_xact_id()::text::bigint, $1::bigint, id, $3::integer, 0, 0, 0
    FROM marked
),
ends AS (
    INSERT INTO ferryman.expiry (expires_at, id) SELECT $6::bigint, id FROM marked WHERE $6::bigint IS NOT NULL
    ON CONFLICT DO NOTHING
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT $4::integer, change.what, 1 FROM marked CROSS JOIN (VALUES ('pending'), ('retried')) AS change (what)
)
SELECT id::text FROM marked;
