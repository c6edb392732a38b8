-- a transaction of a handler's: its mark goes with it, and it does not outlive a lease by keeping silent
SELECT set_config('ferryman.run', $1::text, true),
    set_config('idle_in_transaction_session_timeout', $2::text, true);
