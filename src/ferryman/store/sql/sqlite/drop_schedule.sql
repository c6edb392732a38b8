DELETE FROM schedule WHERE name = :which;
