-- how many attempts failed of these error groups in each hour from :since on
SELECT json_group_array(json_array(group_id, since, n)) FROM (
    SELECT group_id, since, sum(n) AS n FROM sighting
    WHERE group_id IN (SELECT value FROM json_each(:ids)) AND since >= :since
    AND (:lanes IS NULL OR lane IN (SELECT value FROM json_each(:lanes)))
    GROUP BY group_id, since);
