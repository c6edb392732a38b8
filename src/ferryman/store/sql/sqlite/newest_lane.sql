SELECT max(number) FROM lane HAVING max(number) IS NOT NULL;
