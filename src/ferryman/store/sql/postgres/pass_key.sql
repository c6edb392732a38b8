DELETE FROM ferryman.slot WHERE key = $1::text AND failed RETURNING id::text;
