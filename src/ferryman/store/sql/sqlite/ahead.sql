-- how many pending jobs of its queue come before a pending job, of at most :most
SELECT count(*) FROM (
    SELECT 1 FROM (
        SELECT ready.id
        FROM ready AS own CROSS JOIN lane AS mine ON mine.number = own.lane
        CROSS JOIN lane ON lane.queue = mine.queue AND lane.priority < mine.priority
        CROSS JOIN ready ON ready.lane = lane.number
        WHERE own.id = :id
        UNION ALL
        SELECT ready.id
        FROM ready AS own CROSS JOIN lane AS mine ON mine.number = own.lane
        CROSS JOIN lane ON lane.queue = mine.queue AND lane.priority = mine.priority
        CROSS JOIN ready ON ready.lane = lane.number AND ready.arrival < own.arrival
        WHERE own.id = :id)
    LIMIT :most);
