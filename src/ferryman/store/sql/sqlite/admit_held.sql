-- these jobs of one lane, which stand before their gates, come to its end, in the order in which they are named
INSERT INTO ready (lane, arrival, id, number, attempt, crashes, interruptions, care)
SELECT held.lane, :first + asked.key, held.id, held.number, held.attempt, held.crashes, held.interruptions, held.care
FROM json_each(:ids) AS asked CROSS JOIN held ON held.id = asked.value;
