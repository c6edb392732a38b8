-- delete an ended job that is locked, with all that is told of it: $1 id, $2 the status in which it rests
WITH gone AS MATERIALIZED (
    DELETE FROM ferryman.job WHERE id = $1::uuid
    -- while its batch is open, a late finish must still find the outcome that fences it
    AND NOT EXISTS (SELECT 1 FROM ferryman.claim WHERE $1::uuid = ANY (claim.ids))
    RETURNING id, lane
),
results AS (DELETE FROM ferryman.result WHERE id = $1::uuid AND EXISTS (SELECT 1 FROM gone)),
progress AS (DELETE FROM ferryman.progress WHERE id = $1::uuid AND EXISTS (SELECT 1 FROM gone)),
logs AS (DELETE FROM ferryman.log WHERE id = $1::uuid AND EXISTS (SELECT 1 FROM gone)),
failures AS (DELETE FROM ferryman.failure WHERE id = $1::uuid AND EXISTS (SELECT 1 FROM gone)),
outcomes AS (DELETE FROM ferryman.outcome WHERE id = $1::uuid AND EXISTS (SELECT 1 FROM gone)),
counted AS (INSERT INTO ferryman.gone (lane, status, n) SELECT lane, $2::text, 1 FROM gone)
SELECT id::text FROM gone;
