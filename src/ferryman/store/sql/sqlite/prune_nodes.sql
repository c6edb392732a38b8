DELETE FROM node WHERE ended_at <= :before AND number NOT IN (SELECT node FROM claim);
