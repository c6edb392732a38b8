INSERT OR REPLACE INTO quota (name, day, jobs) VALUES (:name, :day, :jobs);
