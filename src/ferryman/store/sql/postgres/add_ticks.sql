INSERT INTO ferryman.tick (schedule, due_at, job)
SELECT $1::text, tick.due_at, tick.job FROM unnest($2::bigint[], $3::uuid[]) AS tick (due_at, job) ON CONFLICT DO NOTHING;
