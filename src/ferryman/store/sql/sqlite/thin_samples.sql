-- those of these moments that a later one of the same hour stands for
DELETE FROM sample
WHERE (queue, type, at) IN (
    SELECT line.queue, line.type, moment.value
    FROM (SELECT DISTINCT queue, type FROM lane) AS line CROSS JOIN json_each(:moments) AS moment)
AND EXISTS (
    SELECT 1 FROM sample AS later
    WHERE later.queue = sample.queue AND later.type = sample.type
    AND later.at > sample.at AND later.at <= (sample.at + 3599999999) / 3600000000 * 3600000000);
