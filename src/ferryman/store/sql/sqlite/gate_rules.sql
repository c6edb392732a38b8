-- what these jobs say of their gates: [id, rule]
SELECT json_group_array(json_array(job.id, json(job.gate)))
FROM json_each(:ids) AS asked CROSS JOIN job ON job.id = asked.value WHERE job.gate IS NOT NULL;
