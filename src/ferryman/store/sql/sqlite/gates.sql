-- these gates, as far as they are: [key, state, due, whether somebody stands before it]. States are JSON already
SELECT '[' || ifnull(group_concat(
    '[' || json_quote(gate.key) || ',' || gate.state || ',' || ifnull(gate.due, 'null') || ','
    || EXISTS (SELECT 1 FROM held WHERE held.key = gate.key) || ']'), '') || ']'
FROM json_each(:keys) AS asked CROSS JOIN gate ON gate.key = asked.value;
