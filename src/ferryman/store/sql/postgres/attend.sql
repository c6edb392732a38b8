UPDATE ferryman.audience SET since = $1::bigint, until = $2::bigint WHERE until >= 0;
