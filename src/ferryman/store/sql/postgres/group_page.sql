-- the next $5 error groups before ($1, $2), by when they were seen last, which is not before $3; $4 lanes or null
SELECT DISTINCT sighting.last_at, sighting.group_id FROM ferryman.sighting
WHERE (sighting.last_at, sighting.group_id) < ($1::bigint, $2::text) AND sighting.last_at >= $3::bigint
AND ($4::integer[] IS NULL OR sighting.lane = ANY ($4::integer[]))
AND (
    SELECT true FROM ferryman.sighting AS newer
    WHERE newer.group_id = sighting.group_id AND newer.last_at > sighting.last_at
    AND ($4::integer[] IS NULL OR newer.lane = ANY ($4::integer[])) LIMIT 1) IS NULL
ORDER BY 1 DESC, 2 DESC LIMIT $5::integer;
