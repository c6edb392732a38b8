SELECT lane.queue, sum(tally.n)::bigint
FROM ferryman.tally JOIN ferryman.lane ON lane.number = tally.lane
WHERE lane.queue = ANY ($1::text[]) AND tally.what IN ('pending', 'scheduled', 'waiting')
GROUP BY lane.queue;
