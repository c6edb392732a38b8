SELECT held.scope, held.key, held.job::text, held.body_hash, held.expires_at
FROM unnest($1::text[], $2::text[]) AS asked (scope, key)
CROSS JOIN LATERAL (
    SELECT * FROM ferryman.key WHERE key.scope = asked.scope AND key.key = asked.key LIMIT 1) AS held;
