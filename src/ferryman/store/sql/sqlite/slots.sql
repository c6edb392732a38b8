-- which of these jobs (id -> key) have slots: [id, sequence]
SELECT json_group_array(json_array(slot.id, slot.sequence))
FROM json_each(:jobs) AS asked CROSS JOIN slot ON slot.key = asked.value AND slot.id = asked.key;
