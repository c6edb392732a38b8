-- many rows become one per error group, hour, lane and version; whoever reads meanwhile sees the ones or the other. Two
-- who do so at once may leave two rows; the next who folds one of that hour finds both. $1 how many at most
WITH fresh AS MATERIALIZED (
    SELECT ctid AS place, group_id, since, lane, version, n, first_at, last_at, job, about
    FROM ferryman.sighting WHERE NOT folded AND since >= 0 ORDER BY since LIMIT $1::integer FOR UPDATE SKIP LOCKED
),
one AS MATERIALIZED (SELECT DISTINCT group_id, since, lane, version FROM fresh),
kept AS MATERIALIZED (
    SELECT found.* FROM one CROSS JOIN LATERAL (
        SELECT ctid AS place, group_id, since, lane, version, n, first_at, last_at, job, about
        FROM ferryman.sighting
        WHERE sighting.group_id = one.group_id AND sighting.since = one.since AND sighting.lane = one.lane
        AND sighting.version = one.version AND sighting.folded
        -- what was seen in an hour or a day was not seen before it began
        AND sighting.last_at >= one.since
        FOR UPDATE SKIP LOCKED) AS found
),
old AS MATERIALIZED (SELECT * FROM fresh UNION ALL SELECT * FROM kept),
gone AS (DELETE FROM ferryman.sighting WHERE ctid = ANY (ARRAY(SELECT place FROM old)))
INSERT INTO ferryman.sighting (group_id, since, lane, version, n, first_at, last_at, job, about, folded)
SELECT group_id, since, lane, version, sum(n), min(first_at), max(last_at), (array_agg(job ORDER BY last_at DESC))[1],
    min(about), true
FROM old GROUP BY group_id, since, lane, version;
