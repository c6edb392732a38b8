-- what was counted of each queue and type, and whether it has gone
SELECT lane.queue, lane.type, counted.what, counted.gone, sum(counted.n)::bigint
FROM (
    SELECT lane, what, false AS gone, n FROM ferryman.tally
    UNION ALL
    SELECT lane, status, true, n FROM ferryman.gone
) AS counted
JOIN ferryman.lane ON lane.number = counted.lane
GROUP BY lane.queue, lane.type, counted.what, counted.gone;
