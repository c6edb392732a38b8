-- these gates, as far as they are, locked in the order of their keys: whoever lets in waits for who does so now.
-- How many are behind each is for the next statement to say, which sees what was committed while this one waited
SELECT key, concurrency, rate, burst, strict, on_failure, share, pinned, paused, ruled_by, level, standing, at, due
FROM ferryman.gate WHERE key = ANY ($1::text[]) ORDER BY key FOR UPDATE;
