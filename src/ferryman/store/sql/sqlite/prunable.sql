-- the next :limit jobs after the cursor: [id, whether its retention has passed]
SELECT json_group_array(json_array(job.id, EXISTS (
    SELECT 1 FROM outcome
    WHERE outcome.id = job.id AND outcome.number = (SELECT max(number) FROM outcome WHERE id = job.id)
    AND CASE outcome.status
        WHEN 'completed' THEN outcome.finished_at <= :completed_before
        WHEN 'failed' THEN outcome.finished_at <= :failed_before
        WHEN 'cancelled' THEN outcome.finished_at <= :cancelled_before
        ELSE 0 END)))
FROM (SELECT id FROM job WHERE id > :after AND id < :horizon ORDER BY id LIMIT :limit) AS job;
