SELECT lane.type, sum(tally.n)::bigint
FROM ferryman.tally JOIN ferryman.lane ON lane.number = tally.lane
WHERE tally.what = 'pending' GROUP BY lane.type HAVING sum(tally.n) > 0 ORDER BY lane.type;
