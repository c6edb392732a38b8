UPDATE ferryman.api_key SET expires_at = $2::bigint
WHERE id = ANY ($1::text[]) AND (expires_at IS NULL OR expires_at > $2::bigint)
RETURNING id;
