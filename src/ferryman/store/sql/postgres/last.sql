-- the last words of a handler's transaction begin: is it still the marked one; then durable, not waiting for long, and
-- planned as the engine's own statements are
SELECT current_setting('ferryman.run', true), set_config('lock_timeout', '5s', true),
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
        THEN set_config('synchronous_commit', 'on', true) END,
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true);
