-- the next gates after the cursor, and of each whether it looks as if nobody used it. $1 after, $2 limit
SELECT key, NOT pinned AND NOT paused AND (SELECT true FROM ferryman.slot WHERE slot.key = page.key LIMIT 1) IS NULL
    AND (SELECT true FROM ferryman.held WHERE held.key = page.key LIMIT 1) IS NULL
FROM (SELECT * FROM ferryman.gate WHERE key > $1::text ORDER BY key LIMIT $2::integer) AS page ORDER BY key;
