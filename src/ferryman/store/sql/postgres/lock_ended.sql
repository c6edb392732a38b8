-- waits for prunes and people that look at these jobs, in one order
SELECT 1 FROM ferryman.job WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE;
