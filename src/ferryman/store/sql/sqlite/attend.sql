UPDATE audience SET since = :since, until = :until;
