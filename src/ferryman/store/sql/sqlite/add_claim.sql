INSERT INTO claim (batch, node, claimed_at, jobs) VALUES (:batch, :node, :claimed_at, :jobs);
