SELECT json_group_array(json_array(outcome.id, outcome.number, outcome.token, outcome.status))
FROM json_each(:runs) AS run
JOIN outcome ON outcome.id = run.value ->> 0 AND outcome.number = run.value ->> 1;
