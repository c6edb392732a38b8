-- the last moment up to the start of a period, and the last in each of its steps
SELECT json_group_array(at) FROM (
    SELECT max(at) AS at FROM moment WHERE at <= :start
    UNION ALL
    SELECT max(at) FROM moment WHERE at > :start AND at <= :end GROUP BY (at - :start - 1) / :step
    ORDER BY at)
WHERE at IS NOT NULL;
