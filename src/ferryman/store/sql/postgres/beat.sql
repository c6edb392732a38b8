UPDATE ferryman.node SET beats = beats + 1 WHERE number = $1 AND ended_at IS NULL RETURNING beats;
