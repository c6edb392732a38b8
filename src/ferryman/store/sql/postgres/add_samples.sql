-- what the tallies say of each queue and type, where the last sample says something else
INSERT INTO ferryman.sample (queue, type, at, created, completed, failed, cancelled, retried, rescued, pending)
SELECT counted.queue, counted.type, $1::bigint, counted.created, counted.completed, counted.failed, counted.cancelled,
    counted.retried, counted.rescued, counted.pending
FROM (
    SELECT lane.queue, lane.type,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'created'), 0) AS created,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'completed'), 0) AS completed,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'failed'), 0) AS failed,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'cancelled'), 0) AS cancelled,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'retried'), 0) AS retried,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'rescued'), 0) AS rescued,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'pending'), 0) AS pending
    FROM ferryman.tally JOIN ferryman.lane ON lane.number = tally.lane GROUP BY lane.queue, lane.type
) AS counted
LEFT JOIN LATERAL (
    SELECT * FROM ferryman.sample
    WHERE sample.queue = counted.queue AND sample.type = counted.type ORDER BY at DESC LIMIT 1
) AS before ON true
WHERE (before.created, before.completed, before.failed, before.cancelled, before.retried, before.rescued, before.pending)
    IS DISTINCT FROM (counted.created, counted.completed, counted.failed, counted.cancelled, counted.retried,
        counted.rescued, counted.pending);
