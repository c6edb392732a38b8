-- $1 at, $2 actor, $3 action, $4 target, $5 detail
INSERT INTO ferryman.audit (at, actor, action, target, detail)
VALUES ($1::bigint, $2::text, $3::text, $4::text, $5::text);
