SELECT id::text FROM ferryman.job WHERE id = ANY ($1::uuid[]);
