-- the first $2 moments up to $1 that a later one of the same hour stands for: an hour ends where it ends
SELECT at FROM (
    SELECT at, lead(at) OVER (ORDER BY at) AS later FROM ferryman.moment WHERE at <= $1::bigint) AS followed
WHERE (at + 3599999999) / 3600000000 = (later + 3599999999) / 3600000000
ORDER BY at LIMIT $2::integer;
