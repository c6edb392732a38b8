-- the lanes of these in which somebody may be drawn, and how many jobs of each are pending. No lock: whoever draws
-- meanwhile, too, makes ready as many more as his claim asks for
SELECT asked.lane, coalesce((
    SELECT sum(n) FROM ferryman.tally WHERE tally.lane = asked.lane AND tally.what = 'pending'), 0)::bigint
FROM unnest($1::integer[]) AS asked (lane)
WHERE (SELECT true FROM ferryman.share WHERE share.lane = asked.lane AND share.open LIMIT 1);
