DELETE FROM audit WHERE at <= :before AND sequence IN (SELECT sequence FROM audit ORDER BY sequence LIMIT :limit);
