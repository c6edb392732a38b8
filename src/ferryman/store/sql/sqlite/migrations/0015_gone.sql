-- how many jobs have left a status in which they rested: `tally` counts how many ever came to it, so the difference is
-- how many there are. Nothing is counted here while jobs run: only where one is deleted, or sent back by hand
CREATE TABLE gone (
    lane   INTEGER NOT NULL,
    status TEXT NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (lane, status)
) STRICT, WITHOUT ROWID;

INSERT INTO gone (lane, status, n)
SELECT tally.lane, tally.what, tally.n - ifnull(kept.n, 0)
FROM tally
LEFT JOIN (
    SELECT job.lane AS lane, outcome.status AS status, count(*) AS n
    FROM job
    JOIN outcome ON outcome.id = job.id AND outcome.number = (SELECT max(number) FROM outcome WHERE id = job.id)
    GROUP BY job.lane, outcome.status
) AS kept ON kept.lane = tally.lane AND kept.status = tally.what
WHERE tally.what IN ('completed', 'failed', 'cancelled') AND tally.n <> ifnull(kept.n, 0);
