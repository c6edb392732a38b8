-- another lane for jobs that this transaction has made pending or sent before their gates, and nobody else has seen: so
-- their places may be written over. $1 ids, $2 lane
WITH moved AS MATERIALIZED (
    SELECT lane, 'pending' AS what, count(*) AS n FROM ferryman.ready WHERE id = ANY ($1::uuid[]) GROUP BY lane
    UNION ALL
    SELECT lane, 'waiting', count(*) FROM ferryman.held WHERE id = ANY ($1::uuid[]) GROUP BY lane
),
readied AS (UPDATE ferryman.ready SET lane = $2::integer WHERE id = ANY ($1::uuid[])),
held AS (UPDATE ferryman.held SET lane = $2::integer WHERE id = ANY ($1::uuid[])),
bodies AS (UPDATE ferryman.job SET lane = $2::integer WHERE id = ANY ($1::uuid[]))
INSERT INTO ferryman.tally (lane, what, n)
SELECT change.lane, moved.what, sum(change.n)
FROM moved CROSS JOIN LATERAL (VALUES (moved.lane, -moved.n), ($2::integer, moved.n)) AS change (lane, n)
GROUP BY change.lane, moved.what;
