-- how many attempts failed of these error groups in each hour from $3 on; $1 error groups, $2 lanes or null
SELECT group_id, since, sum(n)::bigint FROM ferryman.sighting
WHERE group_id = ANY ($1::text[]) AND last_at >= $3::bigint AND since >= $3::bigint
AND ($2::integer[] IS NULL OR lane = ANY ($2::integer[]))
GROUP BY group_id, since;
