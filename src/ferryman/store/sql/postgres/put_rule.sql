-- what was spent of a rate stays spent
-- $1 scope, $2 name, $3 paused, $4 concurrency, $5 rate, $6 burst
INSERT INTO ferryman.rule (scope, name, paused, concurrency, rate, burst, at)
VALUES ($1::text, $2::text, $3::boolean, $4::bigint, $5::double precision, $6::bigint, 0)
ON CONFLICT (scope, name) DO UPDATE SET
    paused = excluded.paused, concurrency = excluded.concurrency, rate = excluded.rate, burst = excluded.burst;
