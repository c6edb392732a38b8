"""One job for a worker process."""

from __future__ import annotations

import msgspec

from ferryman.domain.job import ClaimedJob
from ferryman.engine.origin import Origin


class Work(msgspec.Struct, frozen=True, tag=True):
    """What a worker process has to know to run a job."""

    origin: Origin
    job: ClaimedJob
    worker: str
    """The worker's id."""
    began: float
    deadline: float | None
    """Both in seconds of the monotonic clock, which is one for the machine."""
    share: float
    """Random in [0, 1), for the backoff."""
