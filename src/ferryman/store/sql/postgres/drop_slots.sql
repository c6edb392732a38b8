DELETE FROM ferryman.slot WHERE id = ANY ($1::uuid[]);
