-- the lane and the time that jobs were given by hand, for those who read them when they have left their places
-- $1 ids, $2 lane, $3 when they may run, or null
UPDATE ferryman.job SET lane = $2::integer, run_at = coalesce($3::bigint, run_at) WHERE id = ANY ($1::uuid[]);
