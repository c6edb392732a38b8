-- how many jobs the keys of a name may enqueue in a day; NULL is no bound
ALTER TABLE api_key ADD COLUMN quota INTEGER;

-- how many they have taken on a day, which is that of 1970 and so many later: processes take them in portions
CREATE TABLE quota (
    name TEXT PRIMARY KEY,
    day  INTEGER NOT NULL,
    jobs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
