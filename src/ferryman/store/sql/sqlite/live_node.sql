SELECT id FROM node WHERE number = :node AND ended_at IS NULL;
