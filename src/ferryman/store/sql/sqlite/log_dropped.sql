SELECT coalesce(sum(dropped), 0) FROM progress WHERE id = :id AND (:claim IS NULL OR number = :claim);
