-- the sightings of these error groups, summed up by lane and version; job and about are those of the last one
SELECT json_group_array(json_array(group_id, lane, version, n, first_at, last_at, job, about)) FROM (
    SELECT group_id, lane, version, sum(n) AS n, (
            SELECT min(first.first_at) FROM sighting AS first
            WHERE first.group_id = sighting.group_id AND first.lane = sighting.lane AND first.version = sighting.version
        ) AS first_at, max(last_at) AS last_at, job, about
    FROM sighting
    WHERE group_id IN (SELECT value FROM json_each(:ids))
    AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    GROUP BY group_id, lane, version);
