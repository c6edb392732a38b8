SELECT json_group_object(type, pending) FROM (
    SELECT lane.type AS type, sum(tally.n) AS pending
    FROM tally JOIN lane ON lane.number = tally.lane
    WHERE tally.what = 'pending' GROUP BY lane.type HAVING sum(tally.n) > 0 ORDER BY lane.type);
