SELECT since, until, (SELECT min(number) FROM journal), (SELECT max(number) FROM journal) FROM audience;
