-- the lane and the time that a job was given by hand, for those who read it when it has left its place
UPDATE job SET lane = moved.value ->> 1, run_at = coalesce(:run_at, run_at)
FROM json_each(:moves) AS moved
WHERE job.id = moved.value ->> 0;
