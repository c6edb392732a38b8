-- the end of the first minute up to $1 whose timings are still those of nodes
SELECT at FROM ferryman.timing WHERE node <> 0 AND at <= $1::bigint ORDER BY at LIMIT 1;
