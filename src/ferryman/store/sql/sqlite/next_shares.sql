-- the next :limit keys whose turn it is in a lane: [key, tag]
SELECT json_group_array(json_array(key, tag))
FROM (SELECT key, tag FROM share WHERE lane = :lane AND open ORDER BY tag, key LIMIT :limit);
