SELECT json_group_array(key) FROM (SELECT key FROM gate WHERE due <= :now ORDER BY due, key LIMIT :limit);
