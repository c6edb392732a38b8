-- the claim row under which a job may run now, locked: no outcome of it is written meanwhile
SELECT batch FROM ferryman.claim WHERE $1::uuid = ANY (ids) ORDER BY batch FOR UPDATE;
