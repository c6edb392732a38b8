DELETE FROM ferryman.api_key WHERE id = ANY ($1::text[]) RETURNING id;
