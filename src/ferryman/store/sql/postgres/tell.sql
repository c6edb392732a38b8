-- the next telling: of all that has committed by now
INSERT INTO ferryman.telling (number, at, snapshot)
SELECT number + 1, $1::bigint, pg_current_snapshot() FROM ferryman.telling
WHERE number >= 0 ORDER BY number DESC LIMIT 1;
