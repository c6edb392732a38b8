SELECT coalesce(sum(dropped), 0)::bigint FROM ferryman.progress
WHERE id = $1::uuid AND ($2::integer IS NULL OR number = $2::integer);
