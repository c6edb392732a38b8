-- what is left of these rules; nobody else claims under them before this transaction has ended
-- $1 scopes, $2 names
SELECT rule.scope, rule.name, rule.level, rule.at
FROM unnest($1::text[], $2::text[]) AS wanted (scope, name)
JOIN ferryman.rule ON rule.scope = wanted.scope AND rule.name = wanted.name
ORDER BY rule.scope, rule.name FOR UPDATE OF rule;
