-- the first row of each lane that the cursor has passed and that is there all the same: its claimer rolled back
SELECT lane.number, found.xid, found.arrival
FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::uuid[]) AS lane (number, xid, arrival, id)
CROSS JOIN LATERAL (
    SELECT ready.xid, ready.arrival FROM ferryman.ready
    WHERE ready.care < 2 AND ready.lane = lane.number
    AND (ready.xid, ready.arrival, ready.id) <= (lane.xid, lane.arrival, lane.id)
    ORDER BY ready.xid, ready.arrival, ready.id LIMIT 1
) AS found;
