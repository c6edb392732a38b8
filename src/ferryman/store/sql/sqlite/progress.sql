SELECT number, told FROM progress WHERE id = :id AND told IS NOT NULL ORDER BY number DESC LIMIT 1;
