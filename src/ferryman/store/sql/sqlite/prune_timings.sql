DELETE FROM timing WHERE at <= :before;
