-- The next keys after the cursor before whose gates somebody stands, and of each whether he may be let in, unless he
-- takes turns already: none of these rows is locked, so it is only a guess. $1 after, $2 limit, $3 now
WITH RECURSIVE walk AS (
    (SELECT key, 1 AS n FROM ferryman.held WHERE key > $1::text ORDER BY key LIMIT 1)
    UNION ALL
    SELECT following.key, walk.n + 1
    FROM walk CROSS JOIN LATERAL (
        SELECT held.key FROM ferryman.held WHERE held.key > walk.key ORDER BY held.key LIMIT 1) AS following
    WHERE walk.n < $2::integer
)
SELECT walk.key, gate.key IS NULL OR NOT gate.paused AND (gate.due IS NULL OR gate.due <= $3::bigint) AND (
    CASE WHEN gate.strict THEN 1 ELSE gate.concurrency END IS NULL
    OR (SELECT count(*) FROM ferryman.slot WHERE slot.key = walk.key)
        < CASE WHEN gate.strict THEN 1 ELSE gate.concurrency END)
    AND (gate.share IS NULL OR (SELECT bool_and(open) FROM ferryman.share WHERE share.key = walk.key) IS NOT TRUE)
FROM walk LEFT JOIN LATERAL (SELECT * FROM ferryman.gate WHERE gate.key = walk.key LIMIT 1) AS gate ON true
ORDER BY walk.key;
