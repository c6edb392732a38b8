UPDATE node SET ended_at = :now WHERE number = :node AND ended_at IS NULL;
