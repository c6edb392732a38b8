-- of these gates those before which somebody stands, or that have to know who was claimed. Not locked: whoever comes to
-- stand before another one meanwhile looks for himself. Keys that take turns already need nobody to let them in
SELECT asked.key FROM unnest($1::text[]) AS asked (key)
WHERE (SELECT true FROM ferryman.gate WHERE gate.key = asked.key AND gate.rate IS NOT NULL)
OR (SELECT true FROM ferryman.held WHERE held.key = asked.key LIMIT 1)
AND ((SELECT share FROM ferryman.gate WHERE gate.key = asked.key) IS NULL
    OR (SELECT bool_and(open) FROM ferryman.share WHERE share.key = asked.key) IS NOT TRUE);
