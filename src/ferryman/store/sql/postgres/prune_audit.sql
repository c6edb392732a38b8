-- $1 up to when, $2 how many are looked at
SELECT ferryman.prune_audit($1::bigint, $2::integer);
