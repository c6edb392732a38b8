-- the first :limit who stand before each of these gates: [key, sequence, id, lane]
SELECT json_group_array(json_array(held.key, held.sequence, held.id, held.lane))
FROM json_each(:keys) AS asked
CROSS JOIN held ON held.key = asked.value AND held.sequence < ifnull((
    SELECT front.sequence FROM held AS front WHERE front.key = asked.value ORDER BY front.sequence
    LIMIT 1 OFFSET :limit), 9223372036854775807);
