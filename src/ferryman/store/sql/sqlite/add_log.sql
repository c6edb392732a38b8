INSERT INTO log (id, number, place, attempt, at, level, logger, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
-- a report whose reply was lost is said again
ON CONFLICT (id, number, place) DO NOTHING;
