-- the next error groups before (:last_at, :last_id), by when they were seen last, which is not before :start
SELECT json_group_array(group_id) FROM (
    SELECT DISTINCT last_at, group_id FROM sighting
    WHERE (last_at, group_id) < (:last_at, :last_id) AND last_at >= :start
    AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    AND NOT EXISTS (
        SELECT 1 FROM sighting AS newer
        WHERE newer.group_id = sighting.group_id AND newer.last_at > sighting.last_at
        AND (:lanes IS NULL OR newer.lane IN (SELECT value FROM json_each(:lanes))))
    ORDER BY last_at DESC, group_id DESC LIMIT :limit);
