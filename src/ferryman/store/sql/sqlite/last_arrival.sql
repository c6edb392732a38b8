SELECT arrival FROM ready WHERE lane = :lane ORDER BY arrival DESC LIMIT 1;
