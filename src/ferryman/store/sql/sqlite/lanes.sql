SELECT json_group_array(json_array(number, queue, type, priority)) FROM lane;
