SELECT number, told FROM ferryman.progress WHERE id = $1::uuid AND told IS NOT NULL ORDER BY number DESC LIMIT 1;
