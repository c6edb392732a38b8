-- of each of these error groups: how many of the newest :most failures were looked at that ended their jobs, and how many
-- of these jobs stand failed by them now in these lanes. However many failures there are in others, no more are looked at
SELECT json_group_array(json_array(wanted.value, json((
    SELECT json_array(count(*), coalesce(sum(stands), 0)) FROM (
        SELECT (
            SELECT outcome.number = failure.number AND outcome.finished_at > :failed_before FROM outcome
            WHERE outcome.id = failure.id ORDER BY outcome.number DESC LIMIT 1
        ) AND (:lanes IS NULL
            OR (SELECT job.lane FROM job WHERE job.id = failure.id) IN (SELECT value FROM json_each(:lanes))) AS stands
        FROM failure
        WHERE failure.group_id = wanted.value AND failure.status = 'failed'
        ORDER BY failure.id DESC LIMIT :most)))))
FROM json_each(:ids) AS wanted;
