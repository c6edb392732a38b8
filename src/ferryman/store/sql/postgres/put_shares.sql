-- what has become of keys of lane $1; they are there, and their gates are locked. $2 keys, $3 tags, $4 whether open
INSERT INTO ferryman.share (lane, key, tag, open)
SELECT $1::integer, asked.* FROM unnest($2::text[], $3::bigint[], $4::boolean[]) AS asked (key, tag, open)
ON CONFLICT (lane, key) DO UPDATE SET tag = excluded.tag, open = excluded.open;
