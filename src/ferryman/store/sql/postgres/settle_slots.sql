-- What becomes of the slots of runs that have just ended, in the transaction that ends them; gates are not locked.
-- A job that is scheduled remembers its key; one that is pending without a slot stands before its gate, in its place.
-- Where a gate is bounded by slots alone, the next job takes the slot that a run gives up: so many are behind the gate
-- as before, and that needs no lock (whoever changes a gate's rule has waited for transactions like this one).
-- $1 ids, $2 keys, $3 what became of the jobs, $4 now; null: no slot is handed over.
-- Says of each key of which a slot is free how many slots were handed over, and whether its gate is to be looked at.
WITH ended AS MATERIALIZED (
    SELECT run.id, run.key, run.became, slot.sequence, slot.id IS NOT NULL AS had,
        coalesce(slot.id IS NOT NULL AND CASE run.became
            WHEN 'pending' THEN gate.rate IS NULL
            WHEN 'scheduled' THEN gate.strict
            WHEN 'failed' THEN gate.strict AND gate.on_failure = 'hold'
            ELSE false END, false) AS keeps,
        gate.rate IS NULL AND NOT gate.strict AND gate.concurrency IS NULL AS unbounded,
        CASE WHEN gate.rate IS NULL AND gate.share IS NULL AND NOT gate.paused AND $4::bigint IS NOT NULL THEN
            CASE WHEN gate.strict THEN 1 ELSE gate.concurrency END END AS width,
        -- as a job brings it along, or null where it does not matter what jobs bring
        CASE WHEN NOT gate.pinned THEN CASE
            WHEN NOT gate.strict THEN '{"concurrency":' || gate.concurrency || '}'
            WHEN gate.on_failure = 'hold' THEN '{"strict":true}'
            ELSE '{"strict":true,"on_failure":"' || gate.on_failure || '"}' END END AS rule
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS run (id, key, became)
    LEFT JOIN LATERAL (SELECT * FROM ferryman.slot WHERE slot.id = run.id LIMIT 1) AS slot ON true
    LEFT JOIN LATERAL (SELECT * FROM ferryman.gate WHERE gate.key = run.key LIMIT 1) AS gate ON true
),
freed AS (DELETE FROM ferryman.slot WHERE id = ANY (ARRAY(SELECT id FROM ended WHERE NOT keeps))),
marked AS (
    UPDATE ferryman.slot SET failed = true
    WHERE id = ANY (ARRAY(SELECT id FROM ended WHERE keeps AND became = 'failed'))
),
named AS (
    UPDATE ferryman.later SET key = ended.key FROM ended WHERE ended.became = 'scheduled' AND later.id = ended.id
),
back AS (
    DELETE FROM ferryman.ready WHERE id = ANY (ARRAY(SELECT id FROM ended WHERE became = 'pending' AND NOT keeps))
    RETURNING *
),
placed AS (
    INSERT INTO ferryman.held (key, sequence, id, lane, care, number, attempt, crashes, interruptions)
    SELECT ended.key, ended.sequence, back.id, back.lane, back.care, back.number, back.attempt, back.crashes,
        back.interruptions
    FROM back JOIN ended ON ended.id = back.id WHERE ended.sequence IS NOT NULL
),
added AS (
    INSERT INTO ferryman.held (key, id, lane, care, number, attempt, crashes, interruptions)
    SELECT ended.key, back.id, back.lane, back.care, back.number, back.attempt, back.crashes, back.interruptions
    FROM back JOIN ended ON ended.id = back.id WHERE ended.sequence IS NULL
),
free AS MATERIALIZED (
    SELECT key, count(*) FILTER (WHERE had AND became <> 'pending') AS n, min(width) AS width, min(rule) AS rule
    FROM ended WHERE NOT keeps AND unbounded IS NOT true GROUP BY key
),
first AS MATERIALIZED (
    SELECT free.key, free.rule, found.sequence
    FROM free CROSS JOIN LATERAL (
        SELECT held.sequence FROM ferryman.held WHERE held.key = free.key ORDER BY held.sequence LIMIT free.n) AS found
    WHERE (SELECT count(*) FROM ferryman.slot WHERE slot.key = free.key) <= free.width
),
entering AS MATERIALIZED (
    SELECT found.* FROM first CROSS JOIN LATERAL (
        SELECT held.ctid AS spot, held.* FROM ferryman.held
        WHERE held.key = first.key AND held.sequence = first.sequence FOR UPDATE SKIP LOCKED) AS found
    -- one that brings another rule is for those to let in who have the lock
    WHERE first.rule IS NULL OR found.rule IS NULL OR found.rule = first.rule
),
gone AS (DELETE FROM ferryman.held WHERE ctid = ANY (ARRAY(SELECT spot FROM entering))),
slots AS (INSERT INTO ferryman.slot (id, key, sequence) SELECT id, key, sequence FROM entering),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint),
        $4::bigint + row_number() OVER (ORDER BY sequence) - 1, id, number, attempt, crashes, interruptions
    FROM entering
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT moved.lane, change.what, change.n
    FROM (
        SELECT lane, -count(*) AS n FROM back GROUP BY lane
        UNION ALL SELECT lane, count(*) FROM entering GROUP BY lane) AS moved
    CROSS JOIN LATERAL (VALUES ('pending', moved.n), ('waiting', -moved.n)) AS change (what, n)
)
SELECT key, sum(entered)::integer, sum(entered) < sum(free) OR sum(free) = 0
FROM (SELECT key, 0 AS entered, n AS free FROM free UNION ALL SELECT key, 1, 0 FROM entering) AS told
GROUP BY key;
