UPDATE ferryman.fair SET tag = greatest(tag, $2::bigint) WHERE lane = $1::integer;
