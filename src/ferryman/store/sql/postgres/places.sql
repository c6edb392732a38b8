-- where pending and scheduled jobs without keys stand, and when they are due: null where they are pending. Takes no locks: a claim
-- takes a row that is locked for one that is taken
SELECT place.id::text, place.lane, place.due
FROM (
    SELECT ready.id, ready.lane, NULL::bigint AS due FROM ferryman.ready WHERE ready.id = ANY ($1::uuid[])
    UNION ALL
    SELECT later.id, later.lane, later.run_at FROM ferryman.later WHERE later.id = ANY ($1::uuid[])
) AS place
WHERE (SELECT job.key FROM ferryman.job WHERE job.id = place.id LIMIT 1) IS NULL;
