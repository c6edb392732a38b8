INSERT INTO ferryman.type (name, registered_at, declared)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (name) DO UPDATE SET declared = excluded.declared
WHERE excluded.declared IS NOT NULL AND excluded.declared IS DISTINCT FROM type.declared;
