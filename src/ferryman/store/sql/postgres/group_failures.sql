-- of each of these error groups: how many of the newest $4 failures were looked at that ended their jobs, and how many
-- of these jobs stand failed by them now in these lanes. However many failures there are in others, no more are looked
-- at. $1 error groups, $2 lanes or null, $3 failed before
SELECT wanted.group_id, found.looked_at, found.standing
FROM unnest($1::text[]) AS wanted (group_id) CROSS JOIN LATERAL (
    SELECT count(*)::integer AS looked_at, count(*) FILTER (WHERE (
        $2::integer[] IS NULL OR (SELECT job.lane FROM ferryman.job WHERE job.id = last.id) = ANY ($2::integer[])
    ) AND (
        SELECT outcome.number = last.number AND outcome.finished_at > $3::bigint FROM ferryman.outcome
        WHERE outcome.id = last.id ORDER BY outcome.number DESC LIMIT 1))::integer AS standing
    FROM (
        SELECT failure.id, failure.number FROM ferryman.failure
        WHERE failure.group_id = wanted.group_id AND failure.status = 'failed'
        ORDER BY failure.id DESC LIMIT $4::integer
    ) AS last
) AS found;
