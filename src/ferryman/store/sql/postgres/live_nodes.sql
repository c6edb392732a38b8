SELECT number, id, beats FROM ferryman.node WHERE ended_at IS NULL;
