"""What a job is and may become. Pure: no I/O, no clock, no randomness of its own."""
