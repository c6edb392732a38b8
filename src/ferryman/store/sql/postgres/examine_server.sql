-- what a server says of itself, and how many more connections this role can make
SELECT
    current_setting('server_version'), current_user::text,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
    current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
    greatest(0, least(
        current_setting('max_connections')::integer
            - current_setting('superuser_reserved_connections')::integer
            - coalesce(current_setting('reserved_connections', true)::integer, 0)
            - (SELECT sum(numbackends) FROM pg_stat_database),
        (SELECT nullif(datconnlimit, -1) - pg_stat_get_db_numbackends(oid)
            FROM pg_database WHERE datname = current_database()),
        (SELECT nullif(rolconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user)
            FROM pg_roles WHERE rolname = current_user)
    ))::integer;
