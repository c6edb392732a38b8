-- the unique keys of these jobs, each with the lane of its job
SELECT lane, unique_key FROM ferryman.job WHERE id = ANY ($1::uuid[]) AND unique_key IS NOT NULL;
