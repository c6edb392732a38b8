-- keys in the order of their texts, and who stands before and behind each gate. $1 first, $2 last, $3 after, $4 limit
SELECT gate.key, concurrency, rate, burst, strict, on_failure, share, pinned, paused, ruled_by, level, standing, at, due,
    (SELECT count(*) FROM ferryman.slot WHERE slot.key = gate.key),
    (SELECT count(*) FROM ferryman.held WHERE held.key = gate.key),
    ARRAY(SELECT slot.id::text FROM ferryman.slot WHERE slot.key = gate.key AND slot.failed ORDER BY slot.id)
FROM ferryman.gate
WHERE gate.key >= $1::text AND gate.key <= $2::text AND gate.key > $3::text
ORDER BY gate.key LIMIT $4::integer;
