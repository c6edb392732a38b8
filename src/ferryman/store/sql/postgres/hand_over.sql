-- from here to its commit a transaction may hand slots over: nobody changes the rule of a gate meanwhile
SELECT pg_advisory_xact_lock_shared('ferryman.gate'::regclass::oid::bigint);
