-- for the burial and the retirement: waits for claims of the node that are under way, and those that come find it ended
SELECT beats FROM ferryman.node WHERE number = $1 AND ended_at IS NULL FOR UPDATE;
