-- where somebody else is adding one of this name, waits for that, and adds nothing
INSERT INTO ferryman.schedule
    (name, spec, declaration, declared, paused, seen_until, last_job, fired, skipped, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::uuid, $8, $9, $10, $11)
ON CONFLICT (name) DO NOTHING RETURNING name;
