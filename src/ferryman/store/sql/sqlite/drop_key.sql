DELETE FROM key WHERE scope = :scope AND key = :key AND job = :job;
