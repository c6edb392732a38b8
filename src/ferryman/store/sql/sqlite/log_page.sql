SELECT json_group_array(json_array(number, attempt, place, at, level, logger, message)) FROM (
    SELECT * FROM log
    WHERE id = :id AND (number, place) > (:number, :place) AND (:claim IS NULL OR number = :claim)
    ORDER BY number, place LIMIT :limit);
