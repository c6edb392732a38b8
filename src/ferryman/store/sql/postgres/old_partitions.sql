-- the days, oldest first, all of whose jobs were made before $1 microseconds; none that is younger than two days
SELECT day FROM (
    SELECT to_date(substr(child.relname, 5), 'YYYYMMDD') AS day
    FROM pg_catalog.pg_inherits
    JOIN pg_catalog.pg_class AS child ON child.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = 'ferryman.job'::regclass AND child.relname ~ '^job_[0-9]{8}$'
) AS days
WHERE day < (now() AT TIME ZONE 'UTC')::date - 1
AND extract(epoch FROM day + 1) * 1000000 < $1::bigint
ORDER BY day;
