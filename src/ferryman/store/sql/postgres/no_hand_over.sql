-- nobody hands slots over by a rule that is to change now; the gates are locked before
SELECT pg_advisory_xact_lock('ferryman.gate'::regclass::oid::bigint);
