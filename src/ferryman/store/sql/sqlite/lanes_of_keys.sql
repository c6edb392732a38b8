-- the lanes of those who stand before these gates: [key, lane]. One step of the index leads from a lane to the next
WITH RECURSIVE walk (key, lane) AS (
    SELECT asked.value, (SELECT min(held.lane) FROM held WHERE held.key = asked.value) FROM json_each(:keys) AS asked
    UNION ALL
    SELECT walk.key, (SELECT min(held.lane) FROM held WHERE held.key = walk.key AND held.lane > walk.lane)
    FROM walk WHERE walk.lane IS NOT NULL
)
SELECT json_group_array(json_array(key, lane)) FROM walk WHERE lane IS NOT NULL;
