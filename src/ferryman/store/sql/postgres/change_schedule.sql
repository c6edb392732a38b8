UPDATE ferryman.schedule SET (
    spec, declaration, declared, paused, seen_until, last_job, fired, skipped, created_at, changed_at
) = ($2, $3, $4, $5, $6, $7::uuid, $8, $9, $10, $11)
WHERE name = $1;
