-- transactions that have kept VACUUM from removing rows for more than $1 seconds, the oldest first
SELECT who, seconds FROM (
    SELECT format('process %s of %s (%s, %s)', pid, usename, coalesce(nullif(application_name, ''), 'unnamed'), state),
        extract(epoch FROM clock_timestamp() - xact_start)::double precision
    FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
    UNION ALL
    SELECT format('prepared transaction %s of %s', gid, owner),
        extract(epoch FROM clock_timestamp() - prepared)::double precision
    FROM pg_prepared_xacts WHERE database = current_database()
) AS open (who, seconds) WHERE seconds > $1::double precision ORDER BY seconds DESC LIMIT 5;
