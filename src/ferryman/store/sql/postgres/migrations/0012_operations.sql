-- changes of every job that a filter means, carried out portion by portion: see store/bulk.py
-- spec is JSON of what was asked for; step grows with every portion, and cursor is the id of the last job looked at
CREATE TABLE ferryman.operation (
    id          uuid PRIMARY KEY,
    spec        text NOT NULL,
    status      text NOT NULL,
    step        bigint NOT NULL,
    cursor      uuid,
    next_at     bigint,
    examined    bigint NOT NULL,
    changed     bigint NOT NULL,
    skipped     bigint NOT NULL,
    finished_at bigint,
    error       text
) WITH (fillfactor = 50);

CREATE INDEX operation_running ON ferryman.operation (id) WHERE status = 'running';
CREATE INDEX operation_ended ON ferryman.operation (finished_at) WHERE finished_at IS NOT NULL;
