SELECT name, jobs FROM ferryman.quota WHERE day = $1 AND jobs > 0;
