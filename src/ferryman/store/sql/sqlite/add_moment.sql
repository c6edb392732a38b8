INSERT INTO moment (at) SELECT :at WHERE :at > (SELECT max(at) FROM moment);
