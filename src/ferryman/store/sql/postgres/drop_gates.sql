-- of these locked gates those that still have nobody: a job that comes later makes its gate anew
DELETE FROM ferryman.gate
WHERE key = ANY ($1::text[])
AND (SELECT true FROM ferryman.slot WHERE slot.key = gate.key LIMIT 1) IS NULL
AND (SELECT true FROM ferryman.held WHERE held.key = gate.key LIMIT 1) IS NULL;
