-- the sightings of these error groups, summed up by lane and version; job and about are those of the last one: where
-- there is but one maximum, bare columns are those of its row, so that the first time is looked for by itself
WITH wanted AS (
    SELECT group_id, lane, version, n, first_at, last_at, job, about FROM sighting
    WHERE group_id IN (SELECT value FROM json_each(:ids))
    AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
)
SELECT json_group_array(json_array(group_id, lane, version, n, first_at, last_at, job, about)) FROM (
    SELECT group_id, lane, version, sum(n) AS n, max(last_at) AS last_at, job, about
    FROM wanted GROUP BY group_id, lane, version)
JOIN (SELECT group_id, lane, version, min(first_at) AS first_at FROM wanted GROUP BY group_id, lane, version)
    USING (group_id, lane, version);
