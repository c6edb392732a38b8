-- The claim: snapshot, look, lock, delete and claim row are one statement, so that they are of one moment.
-- $1 node, $2 batch, $3 now, $4 limit, $5 idle workers, $6 whether a job that must be alone may be taken,
-- $7-$12 the spans to look at: lane, priority, then the key after which each begins, and the last transaction in it,
-- $13 transactions that were in progress when the cursor went past them: one that has ended since is a span, too,
-- $14 how many lanes the node knows of, and $15 which edition of the rules: where there is another, nothing is claimed.
-- $16 how many jobs each span may give. Of lanes under limits: $17 lane, $18 a limit that it is under, as a position in
-- $19, how many jobs may be taken under each limit, $20 whether that limit is one for a type.
-- The look takes no locks: it says how many to take from each span, so that no row is locked and then left alone,
-- which would hide it from other nodes.
WITH moment AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
alive AS MATERIALIZED (SELECT 1 FROM ferryman.node WHERE number = $1::bigint AND ended_at IS NULL),
held AS MATERIALIZED (SELECT 1 FROM ferryman.claim WHERE batch = $2::bigint),
known AS MATERIALIZED (
    SELECT count(*) = $14::bigint AND (SELECT number FROM ferryman.edition) = $15::bigint AS all FROM ferryman.lane
),
line AS MATERIALIZED (
    SELECT *
    FROM unnest($7::integer[], $8::smallint[], $9::bigint[], $10::bigint[], $11::uuid[], $12::bigint[], $16::integer[])
        AS line (lane, priority, xid, arrival, id, last, most)
    WHERE EXISTS (SELECT FROM alive) AND NOT EXISTS (SELECT FROM held) AND (SELECT known.all FROM known)
),
span AS MATERIALIZED (
    SELECT row_number() OVER () AS span, spans.*
    FROM (
        SELECT * FROM line
        UNION ALL
        SELECT line.lane, line.priority, gap, -1, '00000000-0000-0000-0000-000000000000'::uuid, gap, line.most
        FROM line CROSS JOIN unnest($13::bigint[]) AS gap CROSS JOIN moment
        WHERE line.last = 9223372036854775807 AND gap <= line.xid
        AND pg_visible_in_snapshot(gap::text::xid8, moment.snapshot)
    ) AS spans
),
look AS MATERIALIZED (
    SELECT span.span, span.lane, span.priority, found.xid, found.arrival, found.id, found.care
    FROM span CROSS JOIN LATERAL (
        SELECT ready.xid, ready.arrival, ready.id, ready.care FROM ferryman.ready
        WHERE ready.care < 2 AND ready.lane = span.lane AND ready.xid <= span.last
        AND (ready.xid, ready.arrival, ready.id) > (span.xid, span.arrival, span.id)
        ORDER BY ready.xid, ready.arrival, ready.id LIMIT span.most
    ) AS found
    UNION ALL
    SELECT * FROM (
        SELECT 0, line.lane, line.priority, found.xid, found.arrival, found.id, found.care
        FROM line CROSS JOIN LATERAL (
            SELECT ready.xid, ready.arrival, ready.id, ready.care FROM ferryman.ready
            WHERE ready.care = 2 AND ready.lane = line.lane
            ORDER BY ready.xid, ready.arrival, ready.id LIMIT 1
        ) AS found
        WHERE $6::boolean AND line.last = 9223372036854775807
        ORDER BY line.priority, found.xid, found.arrival, found.id LIMIT 1
    ) AS alone
),
-- of lanes that share a limit, each may have given as much as all of them together may. What is over the limit of its
-- type does not count for its queue; what is over the limit of its queue does count for its type, so that a claim may
-- take less than it might, but never more
bounded AS MATERIALIZED (
    SELECT look.*, bound.place, bound.of_type
    FROM unnest($17::integer[], $18::integer[], $20::boolean[]) AS bound (lane, place, of_type)
    JOIN look ON look.lane = bound.lane
),
over_type AS MATERIALIZED (
    SELECT id FROM (
        SELECT id, place, row_number() OVER (PARTITION BY place ORDER BY priority, xid, arrival, id) AS rank
        FROM bounded WHERE of_type) AS line
    WHERE rank > ($19::integer[])[place + 1]
),
over_queue AS MATERIALIZED (
    SELECT id FROM (
        SELECT id, place, row_number() OVER (PARTITION BY place ORDER BY priority, xid, arrival, id) AS rank
        FROM bounded WHERE NOT of_type AND id <> ALL (ARRAY(SELECT id FROM over_type))) AS line
    WHERE rank > ($19::integer[])[place + 1]
),
candidate AS MATERIALIZED (
    SELECT span, care, row_number() OVER (ORDER BY priority, xid, arrival, id) AS rank FROM look
    WHERE id <> ALL (ARRAY(SELECT id FROM over_type UNION ALL SELECT id FROM over_queue))
),
plan AS MATERIALIZED (
    SELECT span, count(*) AS n FROM candidate
    WHERE rank <= $4::integer
    AND rank < (SELECT coalesce(min(rank), $4::integer + 1) FROM candidate WHERE care > 0 AND rank > $5::integer)
    GROUP BY span
),
locked AS MATERIALIZED (
    SELECT span.span, span.priority, found.*
    FROM plan JOIN span ON span.span = plan.span CROSS JOIN LATERAL (
        SELECT ready.ctid AS place, ready.* FROM ferryman.ready
        WHERE ready.care < 2 AND ready.lane = span.lane AND ready.xid <= span.last
        AND (ready.xid, ready.arrival, ready.id) > (span.xid, span.arrival, span.id)
        ORDER BY ready.xid, ready.arrival, ready.id LIMIT plan.n FOR UPDATE SKIP LOCKED
    ) AS found
    UNION ALL
    SELECT 0, look.priority, found.*
    FROM plan JOIN look ON look.span = 0 CROSS JOIN LATERAL (
        SELECT ready.ctid AS place, ready.* FROM ferryman.ready
        WHERE ready.care = 2 AND ready.id = look.id FOR UPDATE SKIP LOCKED
    ) AS found
    WHERE plan.span = 0
),
-- spans may overlap, and a statement does not skip what it has locked itself: each row counts once
ranked AS MATERIALIZED (
    SELECT once.*, row_number() OVER (ORDER BY priority, xid, arrival, id) AS rank
    FROM (SELECT DISTINCT ON (priority, xid, arrival, id) * FROM locked ORDER BY priority, xid, arrival, id, span) AS once
),
taken AS MATERIALIZED (
    SELECT * FROM ranked
    WHERE rank < (SELECT coalesce(min(rank), $4::integer + 1) FROM ranked WHERE care > 0 AND rank > $5::integer)
),
-- whoever buries the node locks its row first: either it sees this claim, or this sees that the node is dead
mine AS MATERIALIZED (
    SELECT 1 FROM ferryman.node
    WHERE number = $1::bigint AND ended_at IS NULL AND EXISTS (SELECT FROM taken) FOR KEY SHARE
),
gone AS (
    DELETE FROM ferryman.ready WHERE ctid = ANY (ARRAY(SELECT place FROM taken WHERE EXISTS (SELECT FROM mine)))
),
claimed AS (
    INSERT INTO ferryman.claim (batch, node, claimed_at, ids, numbers, attempts, lanes, crashes, interruptions)
    SELECT $2::bigint, $1::bigint, $3::bigint, array_agg(id), array_agg(number + 1), array_agg(attempt + 1),
        array_agg(lane), array_agg(crashes), array_agg(interruptions)
    FROM taken WHERE EXISTS (SELECT FROM mine) HAVING count(*) > 0
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT moved.lane, change.what, change.n
    FROM (SELECT lane, count(*) AS n FROM taken WHERE EXISTS (SELECT FROM mine) GROUP BY lane) AS moved
    CROSS JOIN LATERAL (VALUES ('pending', -moved.n), ('processing', moved.n)) AS change (what, n)
),
-- a span is done when everything that this moment shows of it was taken, by this claim or by others
fate AS MATERIALIZED (
    SELECT span.lane, span.last,
        coalesce(took.n, 0) = coalesce(got.n, 0) AND (
            coalesce(got.n, 0) < coalesce(plan.n, 0)
            OR (coalesce(plan.n, 0) = coalesce(looked.n, 0) AND coalesce(looked.n, 0) < span.most)
        ) AS done,
        coalesce(final.xid, span.xid) AS xid, coalesce(final.arrival, span.arrival) AS arrival,
        coalesce(final.id, span.id) AS id
    FROM span
    LEFT JOIN (SELECT span, count(*) AS n FROM look GROUP BY span) AS looked ON looked.span = span.span
    LEFT JOIN plan ON plan.span = span.span
    LEFT JOIN (SELECT span, count(*) AS n FROM locked GROUP BY span) AS got ON got.span = span.span
    LEFT JOIN (SELECT span, count(*) AS n, max(rank) AS rank FROM taken GROUP BY span) AS took ON took.span = span.span
    LEFT JOIN taken AS final ON final.rank = took.rank
)
-- one row per job, with its body; what is said of the whole stands in the first row, or in the only one
SELECT run.id, run.number, run.attempt, run.lane, run.crashes, run.interruptions, run.payload, run.max_attempts,
    run.timeout, run.created_at, run.run_at, run.expires_at, run.unique_key, run.tags, run.key, run.rank,
    CASE WHEN run.rank > 1 THEN NULL ELSE
        EXISTS (SELECT FROM alive) AND (EXISTS (SELECT FROM mine) OR NOT EXISTS (SELECT FROM taken)) END AS live,
    CASE WHEN run.rank > 1 THEN NULL ELSE EXISTS (SELECT FROM held) END AS held,
    CASE WHEN run.rank > 1 THEN NULL ELSE (SELECT known.all FROM known) END AS known,
    CASE WHEN run.rank > 1 THEN NULL ELSE ARRAY(SELECT lane FROM fate WHERE NOT done) END AS span_lanes,
    CASE WHEN run.rank > 1 THEN NULL ELSE ARRAY(SELECT xid FROM fate WHERE NOT done) END AS span_xids,
    CASE WHEN run.rank > 1 THEN NULL ELSE ARRAY(SELECT arrival FROM fate WHERE NOT done) END AS span_arrivals,
    CASE WHEN run.rank > 1 THEN NULL ELSE ARRAY(SELECT id::text FROM fate WHERE NOT done) END AS span_ids,
    CASE WHEN run.rank > 1 THEN NULL ELSE ARRAY(SELECT last FROM fate WHERE NOT done) END AS span_lasts,
    CASE WHEN run.rank > 1 THEN NULL ELSE pg_snapshot_xmax(moment.snapshot)::text::bigint END AS next_xid,
    CASE WHEN run.rank > 1 THEN NULL ELSE
        ARRAY(SELECT xip::text::bigint FROM pg_snapshot_xip(moment.snapshot) AS xip) END AS running
FROM moment LEFT JOIN (
    SELECT taken.rank, taken.id::text, taken.number + 1 AS number, taken.attempt + 1 AS attempt, taken.lane,
        taken.crashes, taken.interruptions, body.*
    FROM taken LEFT JOIN LATERAL (
        SELECT payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags, key
        FROM ferryman.job WHERE job.id = taken.id LIMIT 1) AS body ON true
) AS run ON true;
