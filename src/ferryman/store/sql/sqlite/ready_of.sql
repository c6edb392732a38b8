-- how many jobs of a lane may be claimed, if they are fewer than :most
SELECT count(*) FROM (SELECT 1 FROM ready WHERE lane = :lane AND care <= :care LIMIT :most);
