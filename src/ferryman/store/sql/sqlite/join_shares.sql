-- these keys take turns from now on: [key, lane]. Who was away begins right after the time of
-- the lane: at it, and by the order of keys, it could come before others twice
INSERT INTO share (lane, key, tag, open)
SELECT fair.lane, asked.value ->> 0, fair.tag + 1, 1
FROM json_each(:pairs) AS asked CROSS JOIN fair ON fair.lane = asked.value ->> 1
WHERE true
ON CONFLICT (lane, key) DO UPDATE SET tag = max(share.tag, excluded.tag), open = 1 WHERE NOT share.open;
