-- the next :limit jobs after the cursor: [id, whether its retention has passed, key]
SELECT json_group_array(json_array(old.id, EXISTS (
    SELECT 1 FROM outcome
    WHERE outcome.id = old.id AND outcome.number = (SELECT max(number) FROM outcome WHERE id = old.id)
    AND CASE outcome.status
        WHEN 'completed' THEN outcome.finished_at <= :completed_before
        WHEN 'failed' THEN outcome.finished_at <= :failed_before
        WHEN 'cancelled' THEN outcome.finished_at <= :cancelled_before
        ELSE 0 END)
    -- while its batch is open, a late finish must still find the outcome that fences it
    AND old.id NOT IN (SELECT run.value ->> 0 FROM claim, json_each(claim.jobs) AS run), old.key))
FROM (SELECT id, key FROM job WHERE id > :after AND id < :horizon ORDER BY id LIMIT :limit) AS old;
