UPDATE ferryman.node SET condition = $2 WHERE number = $1 AND ended_at IS NULL RETURNING wish, wished_at;
