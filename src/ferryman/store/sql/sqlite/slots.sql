-- which of these jobs have slots: [id, key, sequence]
SELECT json_group_array(json_array(slot.id, slot.key, slot.sequence))
FROM json_each(:ids) AS asked CROSS JOIN slot ON slot.id = asked.value;
