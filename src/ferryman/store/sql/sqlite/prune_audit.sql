DELETE FROM audit WHERE at <= :before AND number IN (SELECT number FROM audit ORDER BY number LIMIT :limit);
