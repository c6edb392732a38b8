-- of these gates those before which somebody stands, or that have to know who was claimed. Not locked: whoever comes to
-- stand before another one meanwhile looks for himself
SELECT asked.key FROM unnest($1::text[]) AS asked (key)
WHERE (SELECT true FROM ferryman.held WHERE held.key = asked.key LIMIT 1)
OR (SELECT true FROM ferryman.gate WHERE gate.key = asked.key AND gate.rate IS NOT NULL);
