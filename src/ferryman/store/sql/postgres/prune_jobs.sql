-- delete those of these locked jobs whose retention has still passed; $2-$4 ended before, per status
WITH gone AS MATERIALIZED (
    SELECT old.id
    FROM unnest($1::uuid[]) AS old (id) CROSS JOIN LATERAL (
        SELECT status, finished_at FROM ferryman.outcome_rest AS outcome WHERE outcome.id = old.id ORDER BY number DESC LIMIT 1
    ) AS last
    WHERE CASE last.status
        WHEN 'completed' THEN last.finished_at <= $2::bigint
        WHEN 'failed' THEN last.finished_at <= $3::bigint
        WHEN 'cancelled' THEN last.finished_at <= $4::bigint
        ELSE false END
),
jobs AS (DELETE FROM ferryman.job_rest WHERE id = ANY (ARRAY(SELECT id FROM gone))),
results AS (DELETE FROM ferryman.result_rest WHERE id = ANY (ARRAY(SELECT id FROM gone))),
failures AS (DELETE FROM ferryman.failure_rest WHERE id = ANY (ARRAY(SELECT id FROM gone))),
progress AS (DELETE FROM ferryman.progress_rest WHERE id = ANY (ARRAY(SELECT id FROM gone))),
logs AS (DELETE FROM ferryman.log_rest WHERE id = ANY (ARRAY(SELECT id FROM gone))),
outcomes AS (DELETE FROM ferryman.outcome_rest WHERE id = ANY (ARRAY(SELECT id FROM gone)))
SELECT count(*) FROM gone;
