UPDATE rule SET level = :level, at = :at WHERE scope = :scope AND name = :name;
