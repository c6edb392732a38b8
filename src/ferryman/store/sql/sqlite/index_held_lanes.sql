-- only where keys take turns: an index costs every enqueue and end of a job with a key
CREATE INDEX IF NOT EXISTS held_lane ON held (key, lane, sequence);
