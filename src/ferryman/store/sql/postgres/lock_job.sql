-- waits for a prune that looks at the job
SELECT 1 FROM ferryman.job WHERE id = $1::uuid FOR UPDATE;
