-- the slots, of these keys, of jobs that are not kept any longer; a sequence that waited for one goes on
-- $1 keys, $2 horizon
DELETE FROM ferryman.slot WHERE ctid = ANY (ARRAY(
    SELECT old.spot
    FROM unnest($1::text[]) AS asked (key) CROSS JOIN LATERAL (
        SELECT ctid AS spot, id FROM ferryman.slot WHERE slot.key = asked.key AND slot.id < $2::uuid
        FOR UPDATE SKIP LOCKED) AS old
    WHERE (SELECT true FROM ferryman.job WHERE job.id = old.id LIMIT 1) IS NULL))
RETURNING key;
