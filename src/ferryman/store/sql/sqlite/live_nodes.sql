SELECT json_group_array(json_array(number, id)) FROM node WHERE ended_at IS NULL;
