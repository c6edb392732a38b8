-- gates that have changed; they are there, and locked
INSERT INTO ferryman.gate
    (key, concurrency, rate, burst, strict, on_failure, share, pinned, paused, ruled_by, level, standing, at, due)
SELECT * FROM unnest(
    $1::text[], $2::integer[], $3::double precision[], $4::integer[], $5::boolean[], $6::text[], $7::integer[],
    $8::boolean[], $9::boolean[], $10::text[], $11::double precision[], $12::integer[], $13::bigint[], $14::bigint[])
ON CONFLICT (key) DO UPDATE SET
    concurrency = excluded.concurrency, rate = excluded.rate, burst = excluded.burst, strict = excluded.strict,
    on_failure = excluded.on_failure, share = excluded.share,
    pinned = excluded.pinned, paused = excluded.paused,
    ruled_by = excluded.ruled_by, level = excluded.level, standing = excluded.standing, at = excluded.at,
    due = excluded.due;
