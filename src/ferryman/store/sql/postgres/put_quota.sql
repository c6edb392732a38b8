UPDATE ferryman.quota SET day = $2, jobs = $3 WHERE name = $1;
