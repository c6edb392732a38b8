-- since when and until when somebody listens, the last telling, whether that is of a server which has since been
-- restored from a dump and counts its transactions anew, whether something has not been told, whether $1 is a telling
SELECT audience.since, audience.until, last.number,
    pg_snapshot_xmax(last.snapshot) > pg_snapshot_xmax(pg_current_snapshot()),
    EXISTS (SELECT FROM ferryman.journal WHERE xid >= pg_snapshot_xmax(last.snapshot)::text::bigint)
    OR EXISTS (
        SELECT FROM ferryman.journal
        WHERE xid = ANY (ARRAY(SELECT late::text::bigint FROM pg_snapshot_xip(last.snapshot) AS late))),
    EXISTS (SELECT FROM ferryman.telling WHERE number = $1::bigint)
FROM ferryman.audience
CROSS JOIN LATERAL (SELECT number, snapshot FROM ferryman.telling WHERE number >= 0 ORDER BY number DESC LIMIT 1) AS last
WHERE audience.until >= 0;
