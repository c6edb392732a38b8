SELECT json_group_array(json_array(name, jobs)) FROM quota WHERE day = :day AND jobs > 0;
