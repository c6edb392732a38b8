-- which server and database this is, and whether it may write; from here to its end the transaction commits durably
SELECT database.oid::bigint, extract(epoch FROM pg_postmaster_start_time())::text,
    current_setting('transaction_read_only') = 'on',
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
        THEN set_config('synchronous_commit', 'on', true) END
FROM pg_database AS database WHERE database.datname = current_database();
