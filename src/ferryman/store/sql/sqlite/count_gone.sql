-- these jobs leave the statuses in which they rest
INSERT INTO gone (lane, status, n)
SELECT job.lane, outcome.status, count(*)
FROM json_each(:ids) AS asked
CROSS JOIN job ON job.id = asked.value
CROSS JOIN outcome ON outcome.id = job.id AND outcome.number = (SELECT max(number) FROM outcome WHERE id = job.id)
GROUP BY job.lane, outcome.status
ON CONFLICT (lane, status) DO UPDATE SET n = n + excluded.n;
