DELETE FROM ferryman.moment WHERE at = ANY ($1::bigint[]);
