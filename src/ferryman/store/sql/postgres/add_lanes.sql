INSERT INTO ferryman.lane (queue, type, priority)
SELECT asked.queue, asked.type, asked.priority
FROM unnest($1::text[], $2::text[], $3::smallint[]) AS asked (queue, type, priority)
WHERE NOT EXISTS (
    SELECT FROM ferryman.lane
    WHERE lane.queue = asked.queue AND lane.type = asked.type AND lane.priority = asked.priority)
ON CONFLICT DO NOTHING;
