-- gives whether it is another wish than before; a claim of the node under way is not waited for
WITH before AS (
    SELECT number, wish, wished_at FROM ferryman.node WHERE id = $1 AND ended_at IS NULL FOR NO KEY UPDATE
)
UPDATE ferryman.node SET wish = $2::text, wished_at = $3::bigint FROM before WHERE node.number = before.number
RETURNING (before.wish, before.wished_at) IS DISTINCT FROM ($2::text, $3::bigint);
