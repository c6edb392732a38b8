-- which job each tick of a schedule has made: the latest of each schedule
CREATE TABLE ferryman.tick (
    schedule text NOT NULL,
    due_at   bigint NOT NULL,
    job      uuid NOT NULL,
    PRIMARY KEY (schedule, due_at, job)
);
