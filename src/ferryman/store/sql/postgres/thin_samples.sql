-- those of the moments $1 that a later one of the same hour stands for
DELETE FROM ferryman.sample WHERE ctid = ANY (ARRAY(
    SELECT old.place
    FROM (SELECT DISTINCT queue, type FROM ferryman.lane) AS line
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM ferryman.sample
        WHERE sample.queue = line.queue AND sample.type = line.type AND sample.at = ANY ($1::bigint[])
        AND EXISTS (
            SELECT 1 FROM ferryman.sample AS later
            WHERE later.queue = line.queue AND later.type = line.type
            AND later.at > sample.at AND later.at <= (sample.at + 3599999999) / 3600000000 * 3600000000 OFFSET 0)
        OFFSET 0
    ) AS old));
