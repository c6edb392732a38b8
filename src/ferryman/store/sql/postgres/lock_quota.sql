-- what the keys of a name have taken, locked until the commit: $1 name
INSERT INTO ferryman.quota (name, day, jobs) VALUES ($1, 0, 0)
ON CONFLICT (name) DO UPDATE SET jobs = quota.jobs RETURNING day, jobs;
