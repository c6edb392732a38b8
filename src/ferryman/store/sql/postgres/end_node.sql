UPDATE ferryman.node SET ended_at = $2 WHERE number = $1 AND ended_at IS NULL;
