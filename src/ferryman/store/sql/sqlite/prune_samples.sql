-- old ones that a later one, which is old as well, stands for
DELETE FROM sample WHERE at <= :before AND EXISTS (
    SELECT 1 FROM sample AS later
    WHERE later.queue = sample.queue AND later.type = sample.type AND later.at > sample.at AND later.at <= :before);
