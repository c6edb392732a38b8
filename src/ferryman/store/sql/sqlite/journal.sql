SELECT number, changes FROM journal WHERE number >= :number ORDER BY number;
