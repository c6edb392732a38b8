-- $1 channel, $2 payload. A ring may be lost, so its commit waits for no disk
SELECT pg_notify($1, $2), set_config('synchronous_commit', 'off', true);
