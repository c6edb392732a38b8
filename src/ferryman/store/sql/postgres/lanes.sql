SELECT number, queue, type, priority FROM ferryman.lane;
