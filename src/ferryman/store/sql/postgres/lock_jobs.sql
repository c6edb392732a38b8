-- those of these jobs that nobody sends back just now; nobody can before the commit
SELECT id::text FROM ferryman.job_rest WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED;
