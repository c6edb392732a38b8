SELECT json_group_array(lane) FROM fair;
