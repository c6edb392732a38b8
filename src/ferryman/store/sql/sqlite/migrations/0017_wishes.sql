-- what operators want of a node, which it reads once a beat; NULL: nobody has said
ALTER TABLE node ADD COLUMN wish TEXT;
ALTER TABLE node ADD COLUMN wished_at INTEGER;
