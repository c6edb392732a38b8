-- What becomes of the slots of runs that have just ended, in the transaction that ends them; gates are not locked.
-- A job that is scheduled remembers its key; one that is pending without a slot stands before its gate, in its place.
-- $1 ids, $2 keys, $3 what became of the jobs
WITH ended AS MATERIALIZED (
    SELECT run.id, run.key, run.became, slot.sequence, coalesce(slot.id IS NOT NULL AND CASE run.became
        WHEN 'pending' THEN gate.rate IS NULL
        WHEN 'scheduled' THEN gate.strict
        WHEN 'failed' THEN gate.strict AND gate.on_failure = 'hold'
        ELSE false END, false) AS keeps
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
)
INSERT INTO ferryman.tally (lane, what, n)
SELECT moved.lane, change.what, change.n
FROM (SELECT lane, count(*) AS n FROM back GROUP BY lane) AS moved
CROSS JOIN LATERAL (VALUES ('pending', -moved.n), ('waiting', moved.n)) AS change (what, n);
