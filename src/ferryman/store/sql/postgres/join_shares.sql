-- these keys take turns from now on; who was away begins right after the time of the lane: at it, and by the
-- order of keys, it could come before others twice. $1 keys, $2 lanes
INSERT INTO ferryman.share (lane, key, tag, open)
SELECT asked.lane, asked.key, (SELECT fair.tag + 1 FROM ferryman.fair WHERE fair.lane = asked.lane), true
FROM unnest($1::text[], $2::integer[]) AS asked (key, lane)
ON CONFLICT (lane, key) DO UPDATE SET tag = greatest(share.tag, excluded.tag), open = true WHERE NOT share.open
RETURNING key;
