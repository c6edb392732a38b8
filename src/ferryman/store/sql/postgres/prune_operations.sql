DELETE FROM ferryman.operation WHERE finished_at <= $1::bigint;
