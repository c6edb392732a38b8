-- $1 ids, $2 numbers, $3 what was told, $4 how many lines were dropped
INSERT INTO ferryman.progress AS known (id, number, told, dropped)
SELECT unnest($1::uuid[]), unnest($2::text::integer[]), unnest($3::text[]), unnest($4::text::bigint[])
ON CONFLICT (id, number) DO UPDATE SET
    told = coalesce(excluded.told, known.told), dropped = greatest(known.dropped, excluded.dropped);
