DELETE FROM rule WHERE scope = :scope AND name = :name;
