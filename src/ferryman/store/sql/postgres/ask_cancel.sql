-- store the request on the claim row of the open run; gives the id of the node that runs it,
-- and whether nobody had asked before
WITH open AS MATERIALIZED (
    SELECT claim.batch, claim.node, $1::uuid = ANY (claim.asked) AS asked
    FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.numbers) AS run (id, number)
    WHERE $1::uuid = ANY (claim.ids) AND run.id = $1::uuid
    AND (SELECT true FROM ferryman.outcome WHERE outcome.id = run.id AND outcome.number = run.number) IS NULL
),
wished AS (
    UPDATE ferryman.claim SET asked = claim.asked || $1::uuid, asked_at = claim.asked_at || $2::bigint
    FROM open WHERE claim.batch = open.batch AND NOT open.asked
)
SELECT node.id, NOT open.asked FROM open LEFT JOIN ferryman.node ON node.number = open.node;
