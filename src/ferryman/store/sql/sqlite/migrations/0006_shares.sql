-- the lanes whose keys take turns: see domain/shares.py. tag is that of whoever was drawn last
CREATE TABLE fair (
    lane INTEGER PRIMARY KEY,
    tag  INTEGER NOT NULL
) STRICT;

-- the keys that take turns in a lane; open: a job of it may be there to be drawn
CREATE TABLE share (
    lane INTEGER NOT NULL,
    key  TEXT NOT NULL,
    tag  INTEGER NOT NULL,
    open INTEGER NOT NULL,
    PRIMARY KEY (lane, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX share_turn ON share (lane, tag, key) WHERE open;
CREATE INDEX share_key ON share (key);
