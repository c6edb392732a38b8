DELETE FROM ferryman.tick WHERE schedule = $1;
