-- for these jobs that stand before their gates
INSERT INTO slot (id, key, sequence)
SELECT held.id, held.key, held.sequence FROM json_each(:ids) AS asked CROSS JOIN held ON held.id = asked.value;
