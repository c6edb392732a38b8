-- of a telling the changes after one of them, as far as both it and the one before it are still there: (place, offset,
-- at, id, lane, number, what, status). No change of a job comes before an earlier one
-- $1 telling, $2 place, $3 offset, $4 limit
WITH told AS MATERIALIZED (
    SELECT (SELECT snapshot FROM ferryman.telling WHERE number = $1::bigint - 1) AS before,
        (SELECT snapshot FROM ferryman.telling WHERE number = $1::bigint) AS now
),
entry AS MATERIALIZED (
    SELECT found.* FROM told CROSS JOIN LATERAL (
        SELECT * FROM ferryman.journal
        WHERE xid >= pg_snapshot_xmax(told.before)::text::bigint AND xid < pg_snapshot_xmax(told.now)::text::bigint
        UNION ALL
        SELECT * FROM ferryman.journal
        WHERE xid = ANY (ARRAY(SELECT late::text::bigint FROM pg_snapshot_xip(told.before) AS late))
    ) AS found
    WHERE found.place >= $2::bigint AND pg_visible_in_snapshot(found.xid::text::xid8, told.now)
    ORDER BY found.place LIMIT $4::bigint + 1
)
SELECT entry.place, change.nth, entry.at, change.id::text, change.lane, change.number, change.what, change.status
FROM entry
CROSS JOIN LATERAL unnest(entry.ids, entry.lanes, entry.numbers, entry.whats, entry.statuses)
    WITH ORDINALITY AS change (id, lane, number, what, status, nth)
WHERE entry.place > $2::bigint OR change.nth > $3::bigint
ORDER BY entry.place, change.nth LIMIT $4::bigint;
