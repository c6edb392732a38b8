DELETE FROM sighting WHERE rowid IN (SELECT rowid FROM sighting WHERE last_at <= :before ORDER BY last_at LIMIT :limit);
