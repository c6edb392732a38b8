-- old ones that a later one, which is old as well, stands for
DELETE FROM sample
WHERE (queue, type, at) IN (
    SELECT old.queue, old.type, old.at
    FROM (SELECT DISTINCT queue, type FROM lane) AS line
    CROSS JOIN sample AS old ON old.queue = line.queue AND old.type = line.type AND old.at < (
        SELECT max(at) FROM sample AS last
        WHERE last.queue = line.queue AND last.type = line.type AND last.at <= :before));
