SELECT day, jobs FROM quota WHERE name = :name;
