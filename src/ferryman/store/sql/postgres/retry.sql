-- a marker under the next claim number, and a place at the end of the lane, or one for later
-- $1 now, $2 id, $3 number, $4 lane, $5 care, $6 expires_at, $7 status in which it rests, $8 key,
-- $9 when it is due, null for now
WITH marked AS (
    INSERT INTO ferryman.outcome (id, number, what, status, attempt, batch, token, finished_at)
    VALUES ($2::uuid, $3::integer, 'retried', CASE WHEN $9::bigint IS NULL THEN 'pending' ELSE 'scheduled' END, 0, 0, 0,
        $1::bigint)
    RETURNING id, status
),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT $4::integer, $5::smallint, pg_current_xact_id()::text::bigint, $1::bigint, id, $3::integer, 0, 0, 0
    FROM marked WHERE $9::bigint IS NULL
),
scheduled AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions, key)
    SELECT $9::bigint, id, $4::integer, $5::smallint, $3::integer, 0, 0, 0, $8::text FROM marked WHERE $9::bigint IS NOT NULL
),
ends AS (
    INSERT INTO ferryman.expiry (expires_at, id) SELECT $6::bigint, id FROM marked WHERE $6::bigint IS NOT NULL
    ON CONFLICT DO NOTHING
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $1::bigint, ARRAY[id], ARRAY[$4::integer], ARRAY[$3::integer],
        ARRAY['retried'], ARRAY[status]
    FROM marked WHERE (SELECT true FROM ferryman.audience WHERE until > $1::bigint)
),
gone AS (INSERT INTO ferryman.gone (lane, status, n) SELECT $4::integer, $7::text, 1 FROM marked),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT $4::integer, change.what, 1 FROM marked CROSS JOIN LATERAL (VALUES (marked.status), ('retried')) AS change (what)
)
SELECT id::text FROM marked;
