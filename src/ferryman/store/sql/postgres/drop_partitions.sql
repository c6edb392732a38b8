SELECT ferryman.drop_partitions($1::date, $2::bigint, $3::bigint, $4::bigint, $5::integer);
