-- all rules and the edition that they are, in one moment, and the lanes in which keys take turns
SELECT edition.number, rule.scope, rule.name, rule.paused, rule.concurrency, rule.rate, rule.burst,
    ARRAY(SELECT lane FROM ferryman.fair)
FROM ferryman.edition LEFT JOIN ferryman.rule ON true ORDER BY rule.scope, rule.name;
