-- one tree instead of two: whoever looks for the slot of a job knows its key
CREATE TABLE slot_by_key (
    key      TEXT NOT NULL,
    id       TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    failed   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;

INSERT INTO slot_by_key (key, id, sequence, failed) SELECT key, id, sequence, failed FROM slot;
DROP TABLE slot;
ALTER TABLE slot_by_key RENAME TO slot;
CREATE INDEX slot_failed ON slot (key, id) WHERE failed;
