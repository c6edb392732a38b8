INSERT INTO ferryman.key (scope, key, job, body_hash, expires_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
ON CONFLICT (scope, key) DO UPDATE
SET job = excluded.job, body_hash = excluded.body_hash, expires_at = excluded.expires_at;
