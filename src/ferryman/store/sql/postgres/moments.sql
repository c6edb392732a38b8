-- the last moment up to $1, and the last in each step of $3 up to $2
(SELECT at FROM ferryman.moment WHERE at <= $1::bigint ORDER BY at DESC LIMIT 1)
UNION ALL
SELECT max(at) FROM ferryman.moment
WHERE at > $1::bigint AND at <= $2::bigint GROUP BY (at - $1::bigint - 1) / $3::bigint
ORDER BY at;
