-- $1 scopes, $2 names, $3 levels, $4 times
UPDATE ferryman.rule SET level = spent.level, at = spent.at
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS spent (scope, name, level, at)
WHERE rule.scope = spent.scope AND rule.name = spent.name;
