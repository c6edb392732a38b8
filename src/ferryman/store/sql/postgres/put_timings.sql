-- $1 node, then one array per column
INSERT INTO ferryman.timing (node, queue, type, at, waits, runs)
SELECT $1::bigint, unnest($2::text[]), unnest($3::text[]), unnest($4::text::bigint[]), unnest($5::text[]),
    unnest($6::text[])
ON CONFLICT (at, node, queue, type) DO UPDATE SET waits = excluded.waits, runs = excluded.runs;
