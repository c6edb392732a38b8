-- the end of the first minute whose timings are still those of nodes
SELECT at FROM timing WHERE node <> 0 AND at <= :until ORDER BY at LIMIT 1;
