DELETE FROM ferryman.moment
WHERE at < (SELECT at FROM ferryman.moment WHERE at <= $1::bigint ORDER BY at DESC LIMIT 1);
