SELECT key.scope, key.key, key.job::text, key.body_hash, key.expires_at
FROM unnest($1::text[], $2::text[]) AS asked (scope, key)
JOIN ferryman.key ON key.scope = asked.scope AND key.key = asked.key;
