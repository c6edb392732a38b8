-- the deeds that fit, the newest first. $1 after, $2 actor, $3 action, $4 target, $5 limit
SELECT number, at, actor, action, target, detail FROM ferryman.audit
WHERE number < $1::bigint
AND ($2::text IS NULL OR actor = $2::text)
AND ($3::text IS NULL OR action = $3::text)
AND ($4::text IS NULL OR target = $4::text)
ORDER BY number DESC LIMIT $5::integer;
