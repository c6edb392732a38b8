SELECT coalesce(sum(tally.n), 0)
FROM lane JOIN tally ON tally.lane = lane.number
WHERE lane.queue = :queue AND tally.what IN ('pending', 'scheduled', 'waiting');
