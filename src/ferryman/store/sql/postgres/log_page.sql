-- $2 the claim number or null, $3 and $4 the line after which to begin, $5 how many at most
SELECT number, attempt, place, at, level, logger, message FROM ferryman.log
WHERE id = $1::uuid AND (number, place) > ($3::integer, $4::integer) AND ($2::integer IS NULL OR number = $2::integer)
ORDER BY number, place LIMIT $5::integer;
