SELECT json_group_object(name, json(declared)) FROM type;
