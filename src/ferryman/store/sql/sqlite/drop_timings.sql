DELETE FROM timing WHERE at > :start AND at <= :end;
