-- The outcomes of runs whose claims the node holds, and the next place of each job. A run that has an outcome already
-- fails all of it; one whose claim row is gone is left out: the answer says which batches are there.
-- $1 node, $2 now, $3 batches that may be done with this, $4 the batches, then one array per column.
WITH live AS MATERIALIZED (
    SELECT batch, asked FROM ferryman.claim
    WHERE node = $1::bigint AND batch = ANY ($4::bigint[]) ORDER BY batch FOR UPDATE
),
told AS MATERIALIZED (
    SELECT run.*, CASE
        WHEN run.status IN ('pending', 'scheduled') AND run.id = ANY (live.asked) THEN 'cancelled'
        ELSE run.status END AS became
    FROM unnest($5::uuid[], $6::integer[], $7::bigint[], $8::text[], $9::text[], $10::integer[], $11::bigint[],
        $12::integer[], $13::bigint[], $14::bigint[], $15::integer[], $16::integer[], $17::integer[], $18::smallint[],
        $19::bigint[], $20::text[], $21::text[], $22::text[], $23::text[]) WITH ORDINALITY
        AS run (id, number, batch, what, status, attempt, token, worker, started_at, finished_at, lane, crashes,
            interruptions, care, run_at, result, error, scope, key, position)
    JOIN live ON live.batch = run.batch
),
written AS (
    INSERT INTO ferryman.outcome
        (id, number, what, status, attempt, batch, token, node, worker, started_at, finished_at)
    SELECT id, number, what, became, attempt, batch, token, $1::bigint, worker, started_at, finished_at FROM told
),
results AS (
    INSERT INTO ferryman.result (id, number, body) SELECT id, number, result FROM told WHERE result IS NOT NULL
),
failures AS (
    INSERT INTO ferryman.failure (id, number, error) SELECT id, number, error FROM told WHERE error IS NOT NULL
),
readied AS (
    INSERT INTO ferryman.ready (lane, care, xid, arrival, id, number, attempt, crashes, interruptions)
    SELECT lane, care, (SELECT pg_current_xact_id()::text::bigint), $2::bigint + position - 1, id, number, attempt,
        crashes, interruptions
    FROM told WHERE became = 'pending'
),
scheduled AS (
    INSERT INTO ferryman.later (run_at, id, lane, care, number, attempt, crashes, interruptions)
    SELECT greatest($2::bigint, run_at), id, lane, care, number, attempt, crashes, interruptions
    FROM told WHERE became = 'scheduled'
),
freed AS (
    DELETE FROM ferryman.key WHERE ctid = ANY (ARRAY(
        SELECT (SELECT key.ctid FROM ferryman.key
            WHERE key.scope = told.scope AND key.key = told.key AND key.job = told.id)
        FROM told WHERE told.scope IS NOT NULL AND told.became NOT IN ('pending', 'scheduled')))
),
counted AS (
    INSERT INTO ferryman.tally (lane, what, n)
    SELECT lane, change.what, sum(change.n)
    FROM (SELECT lane, what, became, count(*) AS n FROM told GROUP BY lane, what, became) AS moved
    CROSS JOIN LATERAL (VALUES
        ('processing', -n), (became, n),
        ('retried', CASE WHEN moved.what = 'failed' AND became = 'scheduled' THEN n ELSE 0 END),
        ('rescued', CASE WHEN moved.what = 'lost' THEN n ELSE 0 END)) AS change (what, n)
    WHERE change.n <> 0 GROUP BY lane, change.what
),
closed AS (
    DELETE FROM ferryman.claim
    WHERE batch = ANY ($3::bigint[]) AND batch IN (SELECT batch FROM live)
    AND cardinality(ids) = (
        SELECT count(*) FROM unnest(ids, numbers) AS run (id, number)
        WHERE (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number)
    ) + (SELECT count(*) FROM told WHERE told.batch = claim.batch)
)
SELECT ARRAY(SELECT batch FROM live), ARRAY(SELECT id::text FROM told WHERE became <> status);
