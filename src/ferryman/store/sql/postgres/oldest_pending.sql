-- the arrival of the first job of each queue
SELECT lane.queue, min(first.arrival)
FROM ferryman.lane CROSS JOIN LATERAL (
    (SELECT ready.arrival FROM ferryman.ready
    WHERE ready.care < 2 AND ready.lane = lane.number ORDER BY ready.xid, ready.arrival, ready.id LIMIT 1)
    UNION ALL
    (SELECT ready.arrival FROM ferryman.ready
    WHERE ready.care = 2 AND ready.lane = lane.number ORDER BY ready.xid, ready.arrival, ready.id LIMIT 1)
) AS first
GROUP BY lane.queue;
