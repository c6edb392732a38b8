-- how long statements waited for locks until now, and how long they do from here to the end of the transaction
WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS value)
SELECT value, set_config('lock_timeout', $1::text, true) FROM before;
