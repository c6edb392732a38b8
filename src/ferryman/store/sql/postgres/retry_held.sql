-- the same as `retry` for a job that has no slot: it stands before its gate, behind all others
-- $1 now, $2 id, $3 number, $4 lane, $5 care, $6 expires_at, $7 status in which it rests, $8 key
WITH marked AS (
    INSERT INTO ferryman.outcome (id, number, what, status, attempt, batch, token, finished_at)
    VALUES ($2::uuid, $3::integer, 'retried', 'pending', 0, 0, 0, $1::bigint)
    RETURNING id
),
gated AS (
    INSERT INTO ferryman.held (key, rule, id, lane, care, number, attempt, crashes, interruptions)
    SELECT $8::text, (SELECT gate FROM ferryman.job WHERE job.id = $2::uuid LIMIT 1), id, $4::integer, $5::smallint,
        $3::integer, 0, 0, 0
    FROM marked
),
ends AS (
    INSERT INTO ferryman.expiry (expires_at, id) SELECT $6::bigint, id FROM marked WHERE $6::bigint IS NOT NULL
    ON CONFLICT DO NOTHING
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $1::bigint, ARRAY[id], ARRAY[$4::integer], ARRAY[$3::integer],
        ARRAY['retried'], ARRAY['pending']
    FROM marked WHERE (SELECT true FROM ferryman.audience WHERE until > $1::bigint)
),
gone AS (INSERT INTO ferryman.gone (lane, status, n) SELECT $4::integer, $7::text, 1 FROM marked),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT $4::integer, change.what, 1 FROM marked CROSS JOIN (VALUES ('waiting'), ('retried')) AS change (what)
)
SELECT id::text FROM marked;
