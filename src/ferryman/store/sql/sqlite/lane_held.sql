-- the first :limit of one lane who stand before each of these gates
SELECT json_group_array(json_array(
    held.key, held.sequence, held.id, held.lane, held.number, held.attempt, held.crashes, held.interruptions, held.care))
FROM json_each(:keys) AS asked
CROSS JOIN held ON held.key = asked.value AND held.sequence IN (
    SELECT front.sequence FROM held AS front WHERE front.key = asked.value AND front.lane = :lane
    ORDER BY front.sequence LIMIT :limit);
