-- whoever adds a key does so alone: there may be no row of its name yet that could be locked. Readers do not wait
LOCK TABLE ferryman.api_key IN SHARE ROW EXCLUSIVE MODE;
