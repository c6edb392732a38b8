-- where pending and scheduled jobs without keys stand: [id, lane, due or null, number, attempt, crashes, interruptions, care]
SELECT json_group_array(json_array(id, lane, due, number, attempt, crashes, interruptions, care))
FROM (
    SELECT ready.id, ready.lane, NULL AS due, ready.number, ready.attempt, ready.crashes, ready.interruptions,
        ready.care
    FROM json_each(:ids) AS asked CROSS JOIN ready ON ready.id = asked.value
    CROSS JOIN job ON job.id = ready.id AND job.key IS NULL
    UNION ALL
    SELECT later.id, later.lane, later.run_at, later.number, later.attempt, later.crashes, later.interruptions,
        later.care
    FROM json_each(:ids) AS asked CROSS JOIN later ON later.id = asked.value AND later.key IS NULL
);
