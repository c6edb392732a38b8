SELECT wish, wished_at FROM node WHERE id = :id AND ended_at IS NULL;
