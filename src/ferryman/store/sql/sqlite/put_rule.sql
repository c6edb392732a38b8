-- what was spent of a rate stays spent
INSERT INTO rule (scope, name, paused, concurrency, rate, burst, level, at)
VALUES (:scope, :name, :paused, :concurrency, :rate, :burst, NULL, 0)
ON CONFLICT (scope, name) DO UPDATE SET
    paused = excluded.paused, concurrency = excluded.concurrency, rate = excluded.rate, burst = excluded.burst;
