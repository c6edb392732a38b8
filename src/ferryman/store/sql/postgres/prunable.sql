-- of the jobs that lie in no day's partition, the next $2 after the cursor: id, and whether its retention has passed
-- $1 after, $2 limit, $3 horizon, $4-$6 ended before, per status
SELECT old.id::text, last.status IS NOT NULL AND CASE last.status
        WHEN 'completed' THEN last.finished_at <= $4::bigint
        WHEN 'failed' THEN last.finished_at <= $5::bigint
        WHEN 'cancelled' THEN last.finished_at <= $6::bigint
        ELSE false END
    -- while its batch is open, a late finish must still find the outcome that fences it
    AND old.id <> ALL (ARRAY(SELECT unnest(claim.ids) FROM ferryman.claim))
FROM (SELECT id FROM ferryman.job_rest WHERE id > $1::uuid AND id < $3::uuid ORDER BY id LIMIT $2::integer) AS old
LEFT JOIN LATERAL (
    SELECT status, finished_at FROM ferryman.outcome_rest AS outcome WHERE outcome.id = old.id ORDER BY number DESC LIMIT 1
) AS last ON true
ORDER BY old.id;
