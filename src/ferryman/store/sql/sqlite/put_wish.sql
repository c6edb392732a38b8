UPDATE node SET wish = :wish, wished_at = :now WHERE id = :id;
