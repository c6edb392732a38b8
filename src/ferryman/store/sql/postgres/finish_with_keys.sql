-- The same as finish.sql where some of the jobs have keys: also what becomes of their slots. Gates are not locked.
-- A job that is scheduled remembers its key; one that is pending without a slot stands before its gate, in its place.
-- Where a gate is bounded by slots alone, the next job takes the slot that a run gives up: so many are behind the gate
-- as before, and that needs no lock, as long as nobody changes the gate's rule.
-- $1 to $24 as there, $25 the keys of the jobs, $26 whether slots are handed over.
-- Says also how many were, and the keys of which a slot is free: their gates are to be looked at.
WITH live AS MATERIALIZED (
    SELECT batch, asked, ids FROM ferryman.claim
    WHERE node = $1::bigint AND batch = ANY ($3::text::bigint[]) ORDER BY batch FOR UPDATE
),
run AS MATERIALIZED (
    SELECT generate_series(0, cardinality($5::uuid[]) - 1) AS position, unnest($5::uuid[]) AS id,
        unnest($6::text::integer[]) AS number, unnest($7::text::bigint[]) AS batch, unnest($8::text::text[]) AS what,
        unnest($9::text::text[]) AS status, unnest($10::text::integer[]) AS attempt,
        unnest($11::text::bigint[]) AS token, unnest($12::text::integer[]) AS worker,
        unnest($13::text::bigint[]) AS started_at, unnest($14::text::bigint[]) AS finished_at,
        unnest($15::text::integer[]) AS lane, unnest($16::text::integer[]) AS crashes,
        unnest($17::text::integer[]) AS interruptions, unnest($18::text::smallint[]) AS care,
        unnest($19::text::bigint[]) AS run_at, unnest($20::text[]) AS result, unnest($21::text[]) AS error,
        unnest($22::text[]) AS scope, unnest($23::text[]) AS unique_key,
        unnest($24::text[]) AS about, unnest($25::text[]) AS key
),
told AS MATERIALIZED (
    SELECT run.*, run.about::json ->> 'id' AS group_id, CASE
        WHEN run.status IN ('pending', 'scheduled') AND run.id = ANY (live.asked) THEN 'cancelled'
        ELSE run.status END AS became
    FROM run JOIN live ON live.batch = run.batch
),
-- From here to the commit nobody changes the rule of a gate. Whoever has done so since this statement began to look is
-- known by the edition: locking its row shows what it is now, not what it was then.
shared AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared('ferryman.gate'::regclass::oid::bigint) WHERE $26::boolean),
now AS MATERIALIZED (SELECT edition.number FROM shared CROSS JOIN ferryman.gate_edition AS edition FOR SHARE OF edition),
hands_over AS MATERIALIZED (
    SELECT (SELECT now.number FROM now) = (SELECT edition.number FROM ferryman.gate_edition AS edition) AS yes
),
ended AS MATERIALIZED (
    SELECT told.id, told.key, told.lane, told.care, told.number, told.attempt, told.crashes, told.interruptions,
        told.became, slot.spot, slot.sequence,
        coalesce(slot.spot IS NOT NULL AND CASE told.became
            WHEN 'pending' THEN gate.rate IS NULL
            WHEN 'scheduled' THEN gate.strict
            WHEN 'failed' THEN gate.strict AND gate.on_failure = 'hold'
            ELSE false END, false) AS keeps,
        gate.rate IS NULL AND NOT gate.strict AND gate.concurrency IS NULL AS unbounded,
        CASE WHEN gate.rate IS NULL AND gate.share IS NULL AND NOT gate.paused AND (SELECT yes FROM hands_over) THEN
            CASE WHEN gate.strict THEN 1 ELSE gate.concurrency END END AS width,
        -- as a job brings it along, or null where it does not matter what jobs bring
        CASE WHEN NOT gate.pinned THEN CASE
            WHEN NOT gate.strict THEN '{"concurrency":' || gate.concurrency || '}'
            WHEN gate.on_failure = 'hold' THEN '{"strict":true}'
            ELSE '{"strict":true,"on_failure":"' || gate.on_failure || '"}' END END AS rule
    FROM told
    LEFT JOIN LATERAL (
        SELECT ctid AS spot, sequence FROM ferryman.slot WHERE slot.key = told.key AND slot.id = told.id LIMIT 1
    ) AS slot ON true
    LEFT JOIN LATERAL (SELECT * FROM ferryman.gate WHERE gate.key = told.key LIMIT 1) AS gate ON true
    WHERE told.key IS NOT NULL
),
-- those that stand before their gates again
back AS MATERIALIZED (SELECT * FROM ended WHERE $18::text <> '{}' AND became = 'pending' AND NOT keeps),
written AS (
    INSERT INTO ferryman.outcome
        (id, number, what, status, attempt, batch, token, node, worker, started_at, finished_at)
    SELECT id, number, what, became, attempt, batch, token, $1::bigint, worker, started_at, finished_at FROM told
),
results AS (
    INSERT INTO ferryman.result (id, number, body)
    SELECT id, number, result FROM told WHERE cardinality($20::text[]) > 0 AND result IS NOT NULL
),
failures AS (
    INSERT INTO ferryman.failure (id, number, error, group_id, status)
    SELECT id, number, error, group_id, became FROM told
    WHERE cardinality($21::text[]) > 0 AND error IS NOT NULL
),
seen AS (
    INSERT INTO ferryman.sighting (group_id, since, lane, version, n, first_at, last_at, job, about)
    SELECT group_id, finished_at / 3600000000 * 3600000000, lane,
        coalesce((SELECT node.version FROM ferryman.node WHERE node.number = $1::bigint), ''),
        count(*), min(finished_at), max(finished_at), (array_agg(id ORDER BY finished_at DESC, position DESC))[1],
        min(about)
    FROM told WHERE cardinality($24::text[]) > 0 AND group_id IS NOT NULL GROUP BY 1, 2, 3
),
scheduled AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions, key)
    SELECT greatest($2::bigint, run_at), id, lane, care, number, attempt, crashes, interruptions, key
    FROM told WHERE $18::text <> '{}' AND became = 'scheduled'
),
freed AS (
    DELETE FROM ferryman.key WHERE ctid = ANY (ARRAY(
        SELECT (SELECT key.ctid FROM ferryman.key
            WHERE key.scope = told.scope AND key.key = told.unique_key AND key.job = told.id)
        FROM told
        WHERE cardinality($22::text[]) > 0 AND told.scope IS NOT NULL AND told.became NOT IN ('pending', 'scheduled')))
),
journaled AS (
    INSERT INTO ferryman.journal (xid, at, ids, lanes, numbers, whats, statuses)
    SELECT pg_current_xact_id()::text::bigint, $2::bigint, array_agg(id), array_agg(lane), array_agg(number),
        array_agg(what), array_agg(became)
    FROM told WHERE (SELECT true FROM ferryman.audience WHERE until > $2::bigint) HAVING count(*) > 0
),
closed AS (
    DELETE FROM ferryman.claim
    WHERE batch = ANY (ARRAY(
        SELECT live.batch FROM live
        JOIN (SELECT unnest($3::text::bigint[]) AS batch, unnest($4::text::integer[]) AS ended) AS sofar
            ON sofar.batch = live.batch
        WHERE sofar.ended = cardinality(live.ids)))
    RETURNING batch
),
vacated AS (
    DELETE FROM ferryman.slot WHERE ctid = ANY (ARRAY(SELECT spot FROM ended WHERE spot IS NOT NULL AND NOT keeps))
),
marked AS (
    UPDATE ferryman.slot SET failed = true
    WHERE ctid = ANY (ARRAY(SELECT spot FROM ended WHERE keeps AND became = 'failed'))
),
placed AS (
    INSERT INTO ferryman.held (key, sequence, id, lane, care, number, attempt, crashes, interruptions)
    SELECT key, sequence, id, lane, care, number, attempt, crashes, interruptions FROM back WHERE sequence IS NOT NULL
),
-- the column finds the next place by itself: roles that run nodes have no right to the sequence
added AS (
    INSERT INTO ferryman.held (key, id, lane, care, number, attempt, crashes, interruptions)
    SELECT key, id, lane, care, number, attempt, crashes, interruptions FROM back WHERE sequence IS NULL
),
free AS MATERIALIZED (
    SELECT key, width, rule, count(*) FILTER (WHERE spot IS NOT NULL AND became <> 'pending') AS n
    FROM ended WHERE NOT keeps AND unbounded IS NOT true GROUP BY key, width, rule
),
first AS MATERIALIZED (
    SELECT free.rule, found.spot
    FROM free CROSS JOIN LATERAL (
        SELECT held.ctid AS spot FROM ferryman.held WHERE held.key = free.key ORDER BY held.sequence LIMIT free.n
    ) AS found
    WHERE (SELECT count(*) FROM ferryman.slot WHERE slot.key = free.key) <= free.width
),
entering AS MATERIALIZED (
    SELECT found.* FROM first CROSS JOIN LATERAL (
        SELECT held.ctid AS spot, held.* FROM ferryman.held WHERE held.ctid = first.spot FOR UPDATE SKIP LOCKED) AS found
    -- one that brings another rule is for those to let in who have the lock
    WHERE first.rule IS NULL OR found.rule IS NULL OR found.rule = first.rule
),
gone AS (DELETE FROM ferryman.held WHERE ctid = ANY (ARRAY(SELECT spot FROM entering))),
slots AS (INSERT INTO ferryman.slot (id, key, sequence) SELECT id, key, sequence FROM entering),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint),
        $2::bigint + row_number() OVER (ORDER BY place) - 1, id, number, attempt, crashes, interruptions
    FROM (
        SELECT lane, care, position AS place, id, number, attempt, crashes, interruptions FROM told
        WHERE $18::text <> '{}' AND became = 'pending' AND id <> ALL (ARRAY(SELECT id FROM back))
        UNION ALL
        SELECT lane, care, sequence, id, number, attempt, crashes, interruptions FROM entering) AS line
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT lane, what, sum(n)
    FROM (
        SELECT lane, change.what, change.n
        FROM (SELECT lane, what, became, count(*) AS n FROM told GROUP BY lane, what, became) AS moved
        CROSS JOIN LATERAL (VALUES
            ('processing', -n), (became, n),
            ('retried', CASE WHEN moved.what = 'failed' AND became = 'scheduled' THEN n ELSE 0 END),
            ('rescued', CASE WHEN moved.what = 'lost' THEN n ELSE 0 END)) AS change (what, n)
        UNION ALL
        SELECT lane, change.what, change.n
        FROM (
            SELECT lane, count(*) AS n FROM entering GROUP BY lane
            UNION ALL SELECT lane, -count(*) FROM back GROUP BY lane) AS moved
        CROSS JOIN LATERAL (VALUES ('pending', n), ('waiting', -n)) AS change (what, n)) AS changes
    WHERE n <> 0 GROUP BY lane, what
)
SELECT ARRAY(SELECT batch FROM live), ARRAY(SELECT batch FROM closed),
    CASE WHEN $18::text <> '{}' THEN ARRAY(SELECT id::text FROM told WHERE became <> status) ELSE '{}' END,
    (SELECT count(*) FROM entering)::integer, ARRAY(
        SELECT key FROM (SELECT key, n FROM free UNION ALL SELECT key, -1 FROM entering) AS left_over
        GROUP BY key HAVING sum(n) > 0 OR max(n) = 0);
