-- keys in the order of their texts: [key, state, slots, waiting, [ids of failed jobs for which it waits]]
SELECT json_group_array(json_array(
    key, json(state),
    (SELECT count(*) FROM slot WHERE slot.key = page.key),
    (SELECT count(*) FROM held WHERE held.key = page.key),
    (SELECT json_group_array(id) FROM (SELECT id FROM slot WHERE slot.key = page.key AND failed ORDER BY id))))
FROM (
    SELECT key, state FROM gate
    WHERE key BETWEEN :first AND :last AND key > :after ORDER BY key LIMIT :limit) AS page;
