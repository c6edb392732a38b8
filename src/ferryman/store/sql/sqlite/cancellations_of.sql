SELECT json_group_array(json_array(id, number)) FROM cancellation
WHERE id IN (SELECT value FROM json_each(:ids));
