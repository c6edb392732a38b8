-- the next $5 error groups before ($1, $2), by when they were seen last, which is not before $3; $4 lanes or null
SELECT max(last_at), group_id FROM ferryman.sighting
WHERE $4::integer[] IS NULL OR lane = ANY ($4::integer[])
GROUP BY group_id
HAVING (max(last_at), group_id) < ($1::bigint, $2::text) AND max(last_at) >= $3::bigint
ORDER BY 1 DESC, 2 DESC LIMIT $5::integer;
