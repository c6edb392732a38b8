-- from the front up to the first row that is kept still. The last row stays, so that no number is given twice
DELETE FROM journal
WHERE number IN (SELECT number FROM journal ORDER BY number LIMIT :limit)
AND number < coalesce(
    (SELECT number FROM journal WHERE at > :before ORDER BY number LIMIT 1), (SELECT max(number) FROM journal));
