-- partitions for today and the next days, on the server's clock; those that are there stay
SELECT ferryman.make_partitions((now() AT TIME ZONE 'UTC')::date + day) FROM generate_series(0, 2) AS day;
