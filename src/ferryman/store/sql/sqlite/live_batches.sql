SELECT json_group_array(claim.batch) FROM json_each(:batches) AS asked JOIN claim ON claim.batch = asked.value AND claim.node = :node;
