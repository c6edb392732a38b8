-- those up to $1 that a later one, which is as old, stands for
DELETE FROM ferryman.sample WHERE ctid = ANY (ARRAY(
    SELECT old.place
    FROM (SELECT DISTINCT queue, type FROM ferryman.lane) AS line
    CROSS JOIN LATERAL (
        SELECT at FROM ferryman.sample
        WHERE sample.queue = line.queue AND sample.type = line.type AND at <= $1::bigint ORDER BY at DESC LIMIT 1
    ) AS last
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM ferryman.sample
        WHERE sample.queue = line.queue AND sample.type = line.type AND sample.at < last.at OFFSET 0
    ) AS old));
