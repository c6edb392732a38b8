SELECT json_group_array(name) FROM type;
