-- the same as `fold_tallies` for what has gone
WITH old AS MATERIALIZED (
    SELECT ctid AS place, lane, status, n FROM ferryman.gone LIMIT $1::integer FOR UPDATE SKIP LOCKED
),
folded AS (DELETE FROM ferryman.gone WHERE ctid = ANY (ARRAY(SELECT place FROM old)))
INSERT INTO ferryman.gone (lane, status, n)
SELECT lane, status, sum(n) FROM old GROUP BY lane, status HAVING sum(n) <> 0;
