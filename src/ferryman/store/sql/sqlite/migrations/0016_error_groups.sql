-- which errors are one and the same: the id of the error's group, null for what is no failed attempt, and for whatever
-- failed before there were groups; and the status to which the run led, null also where there was no run
ALTER TABLE failure ADD COLUMN group_id TEXT;
ALTER TABLE failure ADD COLUMN status TEXT;
CREATE INDEX failure_group ON failure (group_id, status, id) WHERE group_id IS NOT NULL;

-- how many attempts have failed of an error group, by the hour, or for old ones by the day, in which `since` is the
-- first moment; about is JSON of what the errors have in common, job the one that failed last
CREATE TABLE sighting (
    group_id TEXT NOT NULL,
    since    INTEGER NOT NULL,
    lane     INTEGER NOT NULL,
    version  TEXT NOT NULL,
    n        INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    job      TEXT NOT NULL,
    about    TEXT NOT NULL,
    UNIQUE (group_id, since, lane, version)
) STRICT;
CREATE INDEX sighting_group ON sighting (group_id, last_at);
CREATE INDEX sighting_latest ON sighting (last_at);
-- those that are still to become parts of their days
CREATE INDEX sighting_hours ON sighting (since) WHERE since % 86400000000 <> 0;
