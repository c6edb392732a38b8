-- $1 ids, $2 when each was used
UPDATE ferryman.api_key SET last_used_at = greatest(last_used_at, used.at)
FROM unnest($1::text[], $2::bigint[]) AS used (id, at) WHERE api_key.id = used.id;
