-- the bucket of a rule, and how many jobs of its lanes are processing
SELECT level, at, (
    SELECT coalesce(sum(tally.n), 0) FROM json_each(:lanes) AS covered
    CROSS JOIN tally ON tally.lane = covered.value AND tally.what = 'processing')
FROM rule WHERE scope = :scope AND name = :name;
