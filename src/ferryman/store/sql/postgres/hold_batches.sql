-- whoever ends runs of these batches waits until this transaction has ended
SELECT batch FROM ferryman.claim WHERE node = $1::bigint AND batch = ANY ($2::bigint[]) ORDER BY batch FOR KEY SHARE;
