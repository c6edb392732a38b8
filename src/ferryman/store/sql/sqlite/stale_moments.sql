-- the first moments that a later one of the same hour stands for: in microseconds, an hour ends where it ends
SELECT json_group_array(at) FROM (
    SELECT at FROM (SELECT at, lead(at) OVER (ORDER BY at) AS later FROM moment WHERE at <= :until)
    WHERE (at + 3599999999) / 3600000000 = (later + 3599999999) / 3600000000
    ORDER BY at LIMIT :limit);
