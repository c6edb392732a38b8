SAVEPOINT ferryman;
