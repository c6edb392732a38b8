-- how many pending jobs of its queue come before a pending job $1, of at most $2
WITH own AS MATERIALIZED (
    SELECT ready.xid, ready.arrival, ready.id, lane.queue, lane.priority
    FROM ferryman.ready JOIN ferryman.lane ON lane.number = ready.lane WHERE ready.id = $1::uuid
)
SELECT count(*) FROM (
    SELECT 1
    FROM own CROSS JOIN LATERAL (
        SELECT lane.number, CASE WHEN lane.priority < own.priority THEN 9223372036854775807 ELSE own.xid END AS last
        FROM ferryman.lane WHERE lane.queue = own.queue AND lane.priority <= own.priority
    ) AS lane CROSS JOIN LATERAL (
        SELECT 1 FROM ferryman.ready
        WHERE ready.care < 2 AND ready.lane = lane.number
        AND (ready.xid, ready.arrival, ready.id) < (lane.last, own.arrival, own.id)
        ORDER BY ready.xid, ready.arrival, ready.id LIMIT $2::integer
    ) AS first
    LIMIT $2::integer
) AS counted;
