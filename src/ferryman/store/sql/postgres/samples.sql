-- of each queue and type, the last sample up to $1, and the last in each step of $3 up to $2.
-- $4 queue, $5 type, $6 queues: null is any
SELECT found.*
FROM (
    SELECT DISTINCT queue, type FROM ferryman.lane
    WHERE ($4::text IS NULL OR queue = $4::text) AND ($5::text IS NULL OR type = $5::text)
    AND ($6::text[] IS NULL OR queue = ANY ($6::text[]))
) AS line
CROSS JOIN LATERAL (
    (SELECT queue, type, at, created, completed, failed, cancelled, retried, rescued, pending
    FROM ferryman.sample WHERE sample.queue = line.queue AND sample.type = line.type AND at <= $1::bigint
    ORDER BY at DESC LIMIT 1)
    UNION ALL
    (SELECT DISTINCT ON ((at - $1::bigint - 1) / $3::bigint)
        queue, type, at, created, completed, failed, cancelled, retried, rescued, pending
    FROM ferryman.sample
    WHERE sample.queue = line.queue AND sample.type = line.type AND at > $1::bigint AND at <= $2::bigint
    ORDER BY (at - $1::bigint - 1) / $3::bigint, at DESC)
) AS found;
