INSERT INTO ferryman.moment (at)
SELECT $1::bigint WHERE $1::bigint > (SELECT at FROM ferryman.moment WHERE at >= 0 ORDER BY at DESC LIMIT 1)
RETURNING at;
