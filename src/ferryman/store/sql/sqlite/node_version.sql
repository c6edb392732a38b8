SELECT version FROM node WHERE number = :node;
