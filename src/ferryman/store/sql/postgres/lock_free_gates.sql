-- those of these gates that nobody lets in through just now
SELECT key, concurrency, rate, burst, strict, on_failure, share, pinned, paused, ruled_by, level, standing, at, due
FROM ferryman.gate WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE SKIP LOCKED;
