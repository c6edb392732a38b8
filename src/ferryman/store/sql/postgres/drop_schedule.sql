DELETE FROM ferryman.schedule WHERE name = $1 RETURNING name;
