-- how many jobs the keys of a name may enqueue in a day; NULL is no bound
ALTER TABLE ferryman.api_key ADD COLUMN quota bigint;

-- how many they have taken on a day, which is that of 1970 and so many later: processes take them in portions
CREATE TABLE ferryman.quota (
    name text PRIMARY KEY,
    day  bigint NOT NULL,
    jobs bigint NOT NULL
) WITH (fillfactor = 50);
