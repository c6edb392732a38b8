-- tellings are made one after the other: the next statement sees all that the last one saw
SELECT pg_advisory_xact_lock('ferryman.telling'::regclass::oid::bigint);
