SELECT json_group_array(id) FROM (SELECT id FROM expiry WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit);
