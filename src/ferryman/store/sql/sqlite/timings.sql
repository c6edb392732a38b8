SELECT json_group_array(json_array(queue, type, at, waits, runs)) FROM timing
WHERE at > :start AND at <= :end
AND (:queue IS NULL OR queue = :queue) AND (:type IS NULL OR type = :type)
AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)));
