-- what is enqueued by the clock: spec is JSON of the schedule, declaration of what code said of it last.
-- Every tick up to seen_until is dealt with; whoever moves it on stores the jobs in the same transaction
CREATE TABLE ferryman.schedule (
    name        text PRIMARY KEY,
    spec        text NOT NULL,
    declaration text,
    declared    boolean NOT NULL,
    paused      boolean NOT NULL,
    seen_until  bigint NOT NULL,
    last_job    uuid,
    fired       bigint NOT NULL,
    skipped     bigint NOT NULL,
    created_at  bigint NOT NULL,
    changed_at  bigint NOT NULL
) WITH (fillfactor = 50);
