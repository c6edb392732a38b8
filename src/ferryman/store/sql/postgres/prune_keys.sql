DELETE FROM ferryman.key WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ferryman.key WHERE expires_at <= $1::bigint ORDER BY expires_at LIMIT $2::integer
    FOR UPDATE SKIP LOCKED));
