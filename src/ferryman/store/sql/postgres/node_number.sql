SELECT number, ended_at IS NULL FROM ferryman.node WHERE id = $1;
