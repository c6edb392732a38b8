SELECT json_group_array(id) FROM (SELECT id FROM slot WHERE key = :key AND failed ORDER BY id);
