-- whoever writes outcomes into them waits
SELECT batch FROM ferryman.claim WHERE node = $1::bigint AND batch = ANY ($2::bigint[]) ORDER BY batch FOR UPDATE;
