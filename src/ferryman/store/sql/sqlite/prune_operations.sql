DELETE FROM operation WHERE finished_at <= :before;
