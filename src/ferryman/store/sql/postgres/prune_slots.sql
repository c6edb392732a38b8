-- the slots of jobs that are not kept any longer; a sequence that waited for one goes on. $1 horizon, $2 limit
DELETE FROM ferryman.slot WHERE id = ANY (ARRAY(
    SELECT old.id FROM (
        SELECT id FROM ferryman.slot WHERE id < $1::uuid ORDER BY id LIMIT $2::integer FOR UPDATE SKIP LOCKED) AS old
    WHERE (SELECT true FROM ferryman.job WHERE job.id = old.id LIMIT 1) IS NULL));
