-- claim rows of nodes that have ended: a rescue that was itself cut off left them
SELECT json_group_array(DISTINCT claim.node) FROM claim
LEFT JOIN node ON node.number = claim.node WHERE node.number IS NULL OR node.ended_at IS NOT NULL;
