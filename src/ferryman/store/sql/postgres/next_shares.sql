-- the next $2 keys whose turn it is in lane $1
SELECT key, tag FROM ferryman.share WHERE lane = $1::integer AND open ORDER BY tag, key LIMIT $2::integer;
