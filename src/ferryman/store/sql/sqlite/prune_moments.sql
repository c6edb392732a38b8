DELETE FROM moment WHERE at < (SELECT max(at) FROM moment WHERE at <= :before);
