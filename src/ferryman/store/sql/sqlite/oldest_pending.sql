SELECT json_group_array(json_array(queue, arrival)) FROM (
    SELECT lane.queue AS queue, min((
        SELECT ready.arrival FROM ready WHERE ready.lane = lane.number ORDER BY ready.arrival LIMIT 1)) AS arrival
    FROM lane GROUP BY lane.queue)
WHERE arrival IS NOT NULL;
