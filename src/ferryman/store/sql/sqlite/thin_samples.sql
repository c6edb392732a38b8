DELETE FROM sample WHERE at IN (SELECT value FROM json_each(:moments)) AND EXISTS (
    SELECT 1 FROM sample AS later
    WHERE later.queue = sample.queue AND later.type = sample.type
    AND later.at > sample.at AND later.at <= (sample.at + 3599999999) / 3600000000 * 3600000000);
