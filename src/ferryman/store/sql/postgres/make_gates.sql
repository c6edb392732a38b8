-- gates for these keys before which somebody stands, or for all; committed by itself: a gate that is not committed
-- would hold up everybody who needs it. $1 in the order of the keys, $2 whether for all
INSERT INTO ferryman.gate (key)
SELECT key FROM unnest($1::text[]) AS asked (key)
WHERE $2::boolean OR (SELECT true FROM ferryman.held WHERE held.key = asked.key LIMIT 1)
ON CONFLICT (key) DO NOTHING;
