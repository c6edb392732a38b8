-- of a schedule's ticks the latest $2 stay
DELETE FROM ferryman.tick WHERE schedule = $1 AND due_at < (
    SELECT due_at FROM ferryman.tick WHERE schedule = $1 ORDER BY due_at DESC LIMIT 1 OFFSET $2::integer - 1);
