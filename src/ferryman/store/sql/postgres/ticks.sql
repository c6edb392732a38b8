SELECT job::text, due_at FROM ferryman.tick WHERE schedule = $1 ORDER BY due_at DESC, job DESC LIMIT $2::integer;
