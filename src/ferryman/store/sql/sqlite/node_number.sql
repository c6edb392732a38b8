SELECT number FROM node WHERE id = :id;
