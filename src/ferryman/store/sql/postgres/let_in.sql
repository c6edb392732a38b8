-- So many go through each of these locked gates: each gets a slot, and its place in its lane.
-- Those whose rows somebody has locked, to end them, stay; nobody goes instead of them, which might pass a sequence by.
-- $1 keys, $2 how many there is room for, $3 now
WITH asked AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::integer[]) AS asked (key, room)),
first AS MATERIALIZED (
    SELECT asked.key, asked.room, found.sequence,
        row_number() OVER (PARTITION BY asked.key ORDER BY found.sequence) AS rank
    FROM asked CROSS JOIN LATERAL (
        SELECT held.sequence FROM ferryman.held WHERE held.key = asked.key
        ORDER BY held.sequence LIMIT asked.room + 1) AS found
),
entering AS MATERIALIZED (
    SELECT found.* FROM first CROSS JOIN LATERAL (
        SELECT held.ctid AS spot, held.* FROM ferryman.held
        WHERE held.key = first.key AND held.sequence = first.sequence FOR UPDATE SKIP LOCKED) AS found
    WHERE first.rank <= first.room
),
gone AS (DELETE FROM ferryman.held WHERE ctid = ANY (ARRAY(SELECT spot FROM entering))),
slots AS (INSERT INTO ferryman.slot (id, key, sequence) SELECT id, key, sequence FROM entering),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint),
        $3::bigint + row_number() OVER (ORDER BY sequence) - 1, id, number, attempt, crashes, interruptions
    FROM entering
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT moved.lane, change.what, change.n
    FROM (SELECT lane, count(*) AS n FROM entering GROUP BY lane) AS moved
    CROSS JOIN LATERAL (VALUES ('waiting', -moved.n), ('pending', moved.n)) AS change (what, n)
)
-- no join, which would be a loop in a loop: nobody knows how many keys are asked for when the plan is made
SELECT key, sum(came)::integer, sum(there) > sum(came)
FROM (
    SELECT key, 0 AS came, 0 AS there FROM asked
    UNION ALL SELECT key, 1, 0 FROM entering
    UNION ALL SELECT key, 0, 1 FROM first
) AS told
GROUP BY key;
