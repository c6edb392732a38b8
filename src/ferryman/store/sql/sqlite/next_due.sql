SELECT run_at FROM later ORDER BY run_at LIMIT 1;
