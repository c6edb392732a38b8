-- the same of those of one lane alone
SELECT json_group_array(json_array(held.key, held.sequence, held.id, held.lane))
FROM json_each(:keys) AS asked
CROSS JOIN held ON held.key = asked.value AND held.sequence IN (
    SELECT front.sequence FROM held AS front WHERE front.key = asked.value AND front.lane = :lane
    ORDER BY front.sequence LIMIT :limit);
