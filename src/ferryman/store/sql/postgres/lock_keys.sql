-- whoever gives a key to a job holds its lock until the commit; all take them in one order
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(scope || ':' || key, 0) AS key
    FROM unnest($1::text[], $2::text[]) AS asked (scope, key) ORDER BY 1) AS keys;
