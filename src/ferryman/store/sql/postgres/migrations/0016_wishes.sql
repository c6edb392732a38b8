-- what operators want of a node, which it reads once a beat; NULL: nobody has said.
-- condition is JSON of how the node was then; nodes of versions before write none
ALTER TABLE ferryman.node ADD COLUMN wish text;
ALTER TABLE ferryman.node ADD COLUMN wished_at bigint;
ALTER TABLE ferryman.node ADD COLUMN condition text;
