-- the lanes of those who stand before these gates: key, lane, whether its keys take turns already.
-- One step of the index leads from a lane to the next
WITH RECURSIVE walk AS (
    SELECT asked.key, found.lane
    FROM unnest($1::text[]) AS asked (key) CROSS JOIN LATERAL (
        SELECT held.lane FROM ferryman.held WHERE held.key = asked.key ORDER BY held.lane LIMIT 1) AS found
    UNION ALL
    SELECT walk.key, following.lane
    FROM walk CROSS JOIN LATERAL (
        SELECT held.lane FROM ferryman.held WHERE held.key = walk.key AND held.lane > walk.lane
        ORDER BY held.lane LIMIT 1) AS following
)
SELECT walk.key, walk.lane, (SELECT true FROM ferryman.fair WHERE fair.lane = walk.lane) IS NOT NULL FROM walk;
