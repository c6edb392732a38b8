-- all but the last one
DELETE FROM ferryman.telling WHERE number < (SELECT max(number) FROM ferryman.telling WHERE number >= 0);
