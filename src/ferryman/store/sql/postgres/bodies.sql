SELECT asked.id::text, body.*
FROM unnest($1::uuid[]) AS asked (id) CROSS JOIN LATERAL (
    SELECT payload, max_attempts, timeout, created_at, run_at, expires_at, unique_key, tags
    FROM ferryman.job WHERE job.id = asked.id LIMIT 1) AS body;
