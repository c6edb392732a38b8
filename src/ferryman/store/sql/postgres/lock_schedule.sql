-- whoever changes a schedule, or fires its ticks, does so one after the other
SELECT name, spec, declaration, declared, paused, seen_until, last_job::text, fired, skipped, created_at, changed_at
FROM ferryman.schedule WHERE name = $1 FOR UPDATE;
