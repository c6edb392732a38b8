-- the next $2 ids (order: desc) of jobs that have failed of one of these error groups, by failures that led to one of these
-- statuses. $1 after, $2 limit, $3 lanes or null, $4 error groups, $5 statuses
SELECT DISTINCT found.id::text COLLATE "C" AS id
FROM unnest($4::text[]) AS wanted (group_id) CROSS JOIN unnest($5::text[]) AS led (status) CROSS JOIN LATERAL (
    SELECT DISTINCT failure.id FROM ferryman.failure
    WHERE failure.group_id = wanted.group_id AND failure.status = led.status AND failure.id < $1::uuid
    AND ($3::integer[] IS NULL
        OR (SELECT job.lane FROM ferryman.job WHERE job.id = failure.id) = ANY ($3::integer[]))
    ORDER BY failure.id DESC LIMIT $2::integer
) AS found
ORDER BY 1 DESC LIMIT $2::integer;
