SELECT json_group_array(json_array(id, number)) FROM cancellation WHERE node = :node;
