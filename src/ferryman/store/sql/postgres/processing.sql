-- how many jobs of these lanes are processing; once the rules are locked, no claim under them is under way
SELECT lane, sum(n)::bigint FROM ferryman.tally
WHERE what = 'processing' AND lane = ANY ($1::integer[]) GROUP BY lane;
