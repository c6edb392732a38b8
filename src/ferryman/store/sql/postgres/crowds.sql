-- who is behind these gates and what comes before them: key, slots, those of them who are pending still,
-- and the newest job before it that brings a rule. $2: whether it matters who is behind, $3: who brought the rule so far
SELECT asked.key,
    CASE WHEN asked.bounded OR newest.bounds THEN
        (SELECT count(*) FROM ferryman.slot WHERE slot.key = asked.key) ELSE 0 END::integer,
    CASE WHEN asked.bounded OR newest.bounds THEN (
        SELECT count(*) FROM ferryman.slot
        WHERE slot.key = asked.key AND (SELECT true FROM ferryman.ready WHERE ready.id = slot.id)) ELSE 0 END::integer,
    newest.id::text, newest.rule
FROM unnest($1::text[], $2::boolean[], $3::text[]) AS asked (key, bounded, ruled_by)
LEFT JOIN LATERAL (
    SELECT id, rule, rule ~ '"(concurrency|rate|strict)"' AND id::text COLLATE "C" > asked.ruled_by AS bounds
    FROM ferryman.held WHERE held.key = asked.key AND held.rule IS NOT NULL
    ORDER BY held.id DESC LIMIT 1) AS newest ON true;
