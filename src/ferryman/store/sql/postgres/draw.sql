-- Whose turn it is goes: the same as `let_in`, of one lane and in the order of turns.
-- $1 lane, $2 keys of locked gates, $3 how many of each there is room for, $4 the keys whose turns come, in their order,
-- $5 now
WITH asked AS MATERIALIZED (
    SELECT key, max(room) AS room, array_agg(place ORDER BY place) FILTER (WHERE place IS NOT NULL) AS places
    FROM (
        SELECT key, room, NULL::bigint AS place FROM unnest($2::text[], $3::integer[]) AS asked (key, room)
        UNION ALL SELECT key, NULL, place FROM unnest($4::text[]) WITH ORDINALITY AS turn (key, place)
    ) AS told
    GROUP BY key
),
first AS MATERIALIZED (
    SELECT asked.key, asked.room, asked.places, found.sequence,
        row_number() OVER (PARTITION BY asked.key ORDER BY found.sequence) AS rank
    FROM asked CROSS JOIN LATERAL (
        SELECT held.sequence FROM ferryman.held WHERE held.key = asked.key AND held.lane = $1::integer
        ORDER BY held.sequence LIMIT asked.room + 1) AS found
),
entering AS MATERIALIZED (
    SELECT found.*, first.places[first.rank] AS place
    FROM first CROSS JOIN LATERAL (
        SELECT held.ctid AS spot, held.* FROM ferryman.held
        WHERE held.key = first.key AND held.sequence = first.sequence FOR UPDATE SKIP LOCKED) AS found
    WHERE first.rank <= first.room
),
gone AS (DELETE FROM ferryman.held WHERE ctid = ANY (ARRAY(SELECT spot FROM entering))),
slots AS (INSERT INTO ferryman.slot (id, key, sequence) SELECT id, key, sequence FROM entering),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint),
        $5::bigint + row_number() OVER (ORDER BY place) - 1, id, number, attempt, crashes, interruptions
    FROM entering
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT $1::integer, change.what, change.n
    FROM (SELECT count(*) AS n FROM entering) AS moved
    CROSS JOIN LATERAL (VALUES ('waiting', -moved.n), ('pending', moved.n)) AS change (what, n)
    WHERE moved.n > 0
)
SELECT key, sum(came)::integer, sum(there)::integer
FROM (
    SELECT key, 0 AS came, 0 AS there FROM asked
    UNION ALL SELECT key, 1, 0 FROM entering
    UNION ALL SELECT key, 0, 1 FROM first
) AS told
GROUP BY key;
