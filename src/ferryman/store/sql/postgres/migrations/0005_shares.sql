-- keys with shares take turns: see domain/shares.py. Nodes of the version before do not draw: they run no jobs of such
-- keys, so give shares once they are gone
ALTER TABLE ferryman.gate ADD COLUMN share integer;

-- the lanes in which keys take turns. tag is that of whoever was drawn last; who draws holds the lock
CREATE TABLE ferryman.fair (
    lane integer PRIMARY KEY,
    tag  bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- the keys that take turns in a lane; open: a job of it may be there to be drawn. Who changes it has locked its gate
CREATE TABLE ferryman.share (
    lane integer NOT NULL,
    key  text COLLATE "C" NOT NULL,
    tag  bigint NOT NULL,
    open boolean NOT NULL,
    PRIMARY KEY (lane, key)
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX share_turn ON ferryman.share (lane, tag, key) WHERE open;
CREATE INDEX share_key ON ferryman.share (key);
CREATE INDEX held_lane ON ferryman.held (key, lane, sequence);
