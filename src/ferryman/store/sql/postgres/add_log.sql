-- one array per column; a report whose reply was lost is said again
INSERT INTO ferryman.log (id, number, place, attempt, at, level, logger, message)
SELECT unnest($1::uuid[]), unnest($2::text::integer[]), unnest($3::text::integer[]), unnest($4::text::integer[]),
    unnest($5::text::bigint[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[])
ON CONFLICT (id, number, place) DO NOTHING;
