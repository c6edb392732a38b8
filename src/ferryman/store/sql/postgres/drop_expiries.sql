-- off the list: jobs that have ended, or that are gone altogether
DELETE FROM ferryman.expiry
WHERE id = ANY ($1::uuid[]) AND expires_at <= $2::bigint
AND ((SELECT true FROM ferryman.job WHERE job.id = expiry.id) IS NULL OR (
    SELECT status FROM ferryman.outcome WHERE outcome.id = expiry.id ORDER BY number DESC LIMIT 1
) IN ('completed', 'failed', 'cancelled'));
