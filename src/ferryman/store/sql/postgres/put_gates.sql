-- gates that have changed; they are there, and locked
INSERT INTO ferryman.gate
    (key, concurrency, rate, burst, strict, on_failure, pinned, paused, ruled_by, level, standing, at, due)
SELECT * FROM unnest(
    $1::text[], $2::integer[], $3::double precision[], $4::integer[], $5::boolean[], $6::text[], $7::boolean[],
    $8::boolean[], $9::text[], $10::double precision[], $11::integer[], $12::bigint[], $13::bigint[])
ON CONFLICT (key) DO UPDATE SET
    concurrency = excluded.concurrency, rate = excluded.rate, burst = excluded.burst, strict = excluded.strict,
    on_failure = excluded.on_failure, pinned = excluded.pinned, paused = excluded.paused,
    ruled_by = excluded.ruled_by, level = excluded.level, standing = excluded.standing, at = excluded.at,
    due = excluded.due;
