-- have hours of days before $1 become parts of their days when they are folded next; $2 how many at most
UPDATE ferryman.sighting SET since = since / 86400000000 * 86400000000, folded = false
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ferryman.sighting WHERE folded AND since % 86400000000 <> 0 AND since < $1::bigint
    ORDER BY since LIMIT $2::integer FOR UPDATE SKIP LOCKED));
