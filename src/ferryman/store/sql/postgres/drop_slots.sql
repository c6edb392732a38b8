-- $1 keys, $2 ids
DELETE FROM ferryman.slot WHERE ctid = ANY (ARRAY(
    SELECT (SELECT slot.ctid FROM ferryman.slot WHERE slot.key = gone.key AND slot.id = gone.id)
    FROM unnest($1::text[], $2::uuid[]) AS gone (key, id)));
