SELECT json_group_array(json_array(run_at, id, lane, number, attempt, crashes, interruptions, care, key))
FROM (SELECT * FROM later WHERE run_at <= :now ORDER BY run_at, id LIMIT :limit);
