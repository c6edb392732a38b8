-- all rules and the edition that they are, in one moment
SELECT edition.number, rule.scope, rule.name, rule.paused, rule.concurrency, rule.rate, rule.burst
FROM ferryman.edition LEFT JOIN ferryman.rule ON true ORDER BY rule.scope, rule.name;
