-- what was counted of each queue and type: [queue, type, what, whether it has gone, n]
SELECT json_group_array(json_array(lane.queue, lane.type, counted.what, counted.gone, counted.n))
FROM (
    SELECT lane, what, 0 AS gone, n FROM tally
    UNION ALL
    SELECT lane, status, 1, n FROM gone
) AS counted
JOIN lane ON lane.number = counted.lane;
