SELECT (SELECT max(number) FROM lane), (SELECT number FROM edition);
