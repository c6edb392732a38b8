-- which errors are one and the same: the id of the error's group, null for what is no failed attempt, and for whatever
-- failed before there were groups; and the status to which the run led, null also where there was no run
ALTER TABLE ferryman.failure ADD COLUMN group_id text;
ALTER TABLE ferryman.failure ADD COLUMN status text;
CREATE INDEX failure_group ON ferryman.failure (group_id, status, id) WHERE group_id IS NOT NULL;

-- how many attempts have failed of an error group, by the hour, or for old ones by the day, in which `since` is the
-- first moment; about is JSON of what the errors have in common, job the one that failed last. Rows are appended in the
-- statement that writes the outcomes, and folded into one by the sweeper
CREATE TABLE ferryman.sighting (
    group_id text COLLATE "C" NOT NULL,
    since    bigint NOT NULL,
    lane     integer NOT NULL,
    version  text NOT NULL,
    n        bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at  bigint NOT NULL,
    job      uuid NOT NULL,
    about    text NOT NULL,
    folded   boolean NOT NULL DEFAULT false
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX sighting_group ON ferryman.sighting (group_id, last_at);
CREATE INDEX sighting_latest ON ferryman.sighting (last_at);
CREATE INDEX sighting_fresh ON ferryman.sighting (since) WHERE NOT folded;
-- those that are still to become parts of their days
CREATE INDEX sighting_hours ON ferryman.sighting (since) WHERE folded AND since % 86400000000 <> 0;
