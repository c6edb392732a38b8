-- these gates, as far as they are: [key, state, due, whether somebody stands before it]
SELECT json_group_array(json_array(
    gate.key, json(gate.state), gate.due, EXISTS (SELECT 1 FROM held WHERE held.key = gate.key)))
FROM json_each(:keys) AS asked CROSS JOIN gate ON gate.key = asked.value;
