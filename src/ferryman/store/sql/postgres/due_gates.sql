SELECT key FROM ferryman.gate WHERE due <= $1::bigint ORDER BY due LIMIT $2::integer;
