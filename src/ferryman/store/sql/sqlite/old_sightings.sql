-- sightings of hours of days before :before, each as a part of its day, and by which row it is told
SELECT json_group_array(json_array(
    row, json_array(group_id, since, lane, version, n, first_at, last_at, job, about)))
FROM (
    SELECT rowid AS row, group_id, since / 86400000000 * 86400000000 AS since, lane, version, n, first_at, last_at, job, about
    FROM sighting WHERE since % 86400000000 <> 0 AND since < :before ORDER BY since LIMIT :limit);
