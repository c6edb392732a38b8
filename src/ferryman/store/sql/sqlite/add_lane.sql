INSERT INTO lane (queue, type, priority) VALUES (:queue, :type, :priority) ON CONFLICT DO NOTHING;
