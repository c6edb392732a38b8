-- whether anybody stands before any gate, and when the next token comes for which somebody waits
SELECT (SELECT true FROM ferryman.held WHERE key > '' LIMIT 1) IS NOT NULL,
    (SELECT min(due) FROM ferryman.gate WHERE due IS NOT NULL AND due > 0);
