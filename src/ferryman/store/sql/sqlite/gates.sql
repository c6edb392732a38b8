-- these gates, as far as they are: [key, state, due]. States are JSON already
SELECT '[' || ifnull(group_concat(
    '[' || json_quote(gate.key) || ',' || gate.state || ',' || ifnull(gate.due, 'null') || ']'), '') || ']'
FROM json_each(:keys) AS asked CROSS JOIN gate ON gate.key = asked.value;
