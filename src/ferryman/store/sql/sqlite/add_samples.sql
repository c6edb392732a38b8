-- what the tallies say of each queue and type, where the last sample says something else
INSERT INTO sample (queue, type, at, created, completed, failed, cancelled, retried, rescued, pending)
SELECT counted.queue, counted.type, :at, counted.created, counted.completed, counted.failed, counted.cancelled,
    counted.retried, counted.rescued, counted.pending
FROM (
    SELECT lane.queue AS queue, lane.type AS type,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'created'), 0) AS created,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'completed'), 0) AS completed,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'failed'), 0) AS failed,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'cancelled'), 0) AS cancelled,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'retried'), 0) AS retried,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'rescued'), 0) AS rescued,
        coalesce(sum(tally.n) FILTER (WHERE tally.what = 'pending'), 0) AS pending
    FROM tally JOIN lane ON lane.number = tally.lane GROUP BY lane.queue, lane.type
) AS counted
LEFT JOIN sample AS before ON before.queue = counted.queue AND before.type = counted.type
    AND before.at = (
        SELECT max(at) FROM sample WHERE sample.queue = counted.queue AND sample.type = counted.type)
WHERE before.at IS NULL
OR (before.created, before.completed, before.failed, before.cancelled, before.retried, before.rescued, before.pending)
    <> (counted.created, counted.completed, counted.failed, counted.cancelled, counted.retried, counted.rescued,
        counted.pending);
