-- of the next :limit gates: [key, state, whether nobody stands before it and nobody is behind it]
SELECT json_group_array(json_array(
    key, json(state),
    NOT EXISTS (SELECT 1 FROM slot WHERE slot.key = page.key) AND NOT EXISTS (SELECT 1 FROM held WHERE held.key = page.key)))
FROM (SELECT key, state FROM gate WHERE key > :after ORDER BY key LIMIT :limit) AS page;
