-- samples are taken one after the other, so that a later one never says less than an earlier one
SELECT pg_advisory_xact_lock('ferryman.moment'::regclass::oid::bigint);
