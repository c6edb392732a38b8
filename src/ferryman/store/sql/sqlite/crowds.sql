-- who is behind these gates: [key, slots, those of them who are pending still, if that was :asked]
SELECT json_group_array(json_array(
    asked.value,
    (SELECT count(*) FROM slot WHERE slot.key = asked.value),
    CASE WHEN :asked THEN (SELECT count(*) FROM slot CROSS JOIN ready ON ready.id = slot.id WHERE slot.key = asked.value)
    ELSE 0 END))
FROM json_each(:keys) AS asked;
