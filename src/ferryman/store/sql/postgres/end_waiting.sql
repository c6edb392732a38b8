-- a tombstone under the next claim number of each job that was taken from its place
-- $1 now, $2 error or null, $3 ids, $4 numbers, $5 attempts, $6 lanes, $7 where they stood, $8 scopes, $9 keys
WITH ended AS MATERIALIZED (
    SELECT * FROM unnest($3::uuid[], $4::integer[], $5::integer[], $6::integer[], $7::text[], $8::text[], $9::text[])
        AS ended (id, number, attempt, lane, status, scope, key)
),
written AS (
    INSERT INTO ferryman.outcome (id, number, what, status, attempt, batch, token, finished_at)
    SELECT id, number + 1, 'cancelled', 'cancelled', attempt, 0, 0, $1::bigint FROM ended
),
failures AS (
    INSERT INTO ferryman.failure (id, number, error)
    SELECT id, number + 1, $2::text FROM ended WHERE $2::text IS NOT NULL
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $1::bigint, array_agg(id), array_agg(lane), array_agg(number + 1),
        array_agg('cancelled'::text), array_agg('cancelled'::text)
    FROM ended WHERE (SELECT true FROM ferryman.audience WHERE until > $1::bigint) HAVING count(*) > 0
),
freed AS (
    DELETE FROM ferryman.key WHERE ctid = ANY (ARRAY(
        SELECT (SELECT key.ctid FROM ferryman.key
            WHERE key.scope = ended.scope AND key.key = ended.key AND key.job = ended.id)
        FROM ended WHERE ended.scope IS NOT NULL))
)
INSERT INTO ferryman.tally (lane, what, n)
SELECT lane, change.what, sum(change.n)
FROM ended CROSS JOIN LATERAL (VALUES (ended.status, -1), ('cancelled', 1)) AS change (what, n)
GROUP BY lane, change.what;
