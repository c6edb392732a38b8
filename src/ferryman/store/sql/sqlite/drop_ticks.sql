DELETE FROM tick WHERE schedule = :which;
