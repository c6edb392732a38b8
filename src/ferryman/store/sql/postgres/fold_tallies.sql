-- many rows become one per lane and thing counted; whoever reads meanwhile sees the ones or the other
WITH old AS MATERIALIZED (
    SELECT ctid AS place, lane, what, n FROM ferryman.tally LIMIT $1::integer FOR UPDATE SKIP LOCKED
),
gone AS (DELETE FROM ferryman.tally WHERE ctid = ANY (ARRAY(SELECT place FROM old)))
INSERT INTO ferryman.tally (lane, what, n)
SELECT lane, what, sum(n) FROM old GROUP BY lane, what HAVING sum(n) <> 0;
