-- the server's version, the newest migration, the bytes of our tables and indexes, the server's clock
SELECT split_part(current_setting('server_version'), ' ', 1), (SELECT max(number) FROM ferryman.migration),
    (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'ferryman') AND relkind = 'r'),
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
