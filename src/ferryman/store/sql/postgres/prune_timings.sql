DELETE FROM ferryman.timing WHERE at <= $1::bigint;
