-- the next error groups before (:last_at, :last_id), by when they were seen last, which is not before :start
SELECT json_group_array(group_id) FROM (
    SELECT max(last_at) AS last_at, group_id FROM sighting
    WHERE :lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes))
    GROUP BY group_id
    HAVING (max(last_at), group_id) < (:last_at, :last_id) AND max(last_at) >= :start
    ORDER BY 1 DESC, 2 DESC LIMIT :limit);
