SELECT json_group_array(json_array(scope, name, paused, concurrency, rate, burst))
FROM (SELECT * FROM rule ORDER BY scope, name);
