-- forget what was seen by $1; $2 how many at most
DELETE FROM ferryman.sighting WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ferryman.sighting WHERE last_at <= $1::bigint ORDER BY last_at LIMIT $2::integer
    FOR UPDATE SKIP LOCKED));
