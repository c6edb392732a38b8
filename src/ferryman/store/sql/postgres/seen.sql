-- the sightings of these error groups, summed up by lane and version; job and about are those of the last one
-- $1 error groups, $2 lanes or null
SELECT group_id, lane, version, sum(n)::bigint, min(first_at), max(last_at), (array_agg(job ORDER BY last_at DESC))[1]::text,
    min(about)
FROM ferryman.sighting
WHERE group_id = ANY ($1::text[]) AND ($2::integer[] IS NULL OR lane = ANY ($2::integer[]))
GROUP BY group_id, lane, version;
