SELECT name, spec, declaration, declared, paused, seen_until, last_job::text, fired, skipped, created_at, changed_at
FROM ferryman.schedule ORDER BY name;
