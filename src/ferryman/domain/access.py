"""What a caller of the HTTP API may do."""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """A kind of thing to do; users call it a scope."""

    ENQUEUE = "enqueue"
    """Hand jobs in."""
    READ = "read"
    """Look at everything but who has access."""
    WORK = "work"
    """Run jobs."""
    OPERATE = "operate"
    """Change what happens to jobs: cancel, retry, pause, limit."""
    ADMIN = "admin"
    """Say who has access."""
