SELECT lane.queue, tally.what, sum(tally.n)::bigint
FROM ferryman.tally JOIN ferryman.lane ON lane.number = tally.lane GROUP BY lane.queue, tally.what;
