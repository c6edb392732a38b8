-- delete those of these locked jobs whose retention has still passed; $2-$4 ended before, per status
WITH past AS MATERIALIZED (
    SELECT old.id, last.status, (SELECT lane FROM ferryman.job_rest AS job WHERE job.id = old.id LIMIT 1) AS lane
    FROM unnest($1::uuid[]) AS old (id) CROSS JOIN LATERAL (
        SELECT status, finished_at FROM ferryman.outcome_rest AS outcome WHERE outcome.id = old.id ORDER BY number DESC LIMIT 1
    ) AS last
    WHERE CASE last.status
        WHEN 'completed' THEN last.finished_at <= $2::bigint
        WHEN 'failed' THEN last.finished_at <= $3::bigint
        WHEN 'cancelled' THEN last.finished_at <= $4::bigint
        ELSE false END
),
jobs AS (DELETE FROM ferryman.job_rest WHERE id = ANY (ARRAY(SELECT id FROM past))),
results AS (DELETE FROM ferryman.result_rest WHERE id = ANY (ARRAY(SELECT id FROM past))),
failures AS (DELETE FROM ferryman.failure_rest WHERE id = ANY (ARRAY(SELECT id FROM past))),
progress AS (DELETE FROM ferryman.progress_rest WHERE id = ANY (ARRAY(SELECT id FROM past))),
logs AS (DELETE FROM ferryman.log_rest WHERE id = ANY (ARRAY(SELECT id FROM past))),
outcomes AS (DELETE FROM ferryman.outcome_rest WHERE id = ANY (ARRAY(SELECT id FROM past))),
counted AS (
    INSERT INTO ferryman.gone (lane, status, n)
    SELECT lane, status, count(*) FROM past GROUP BY lane, status
)
SELECT count(*) FROM past;
