"""Waits for the end of a job: the server is asked to hold its answer back, and asked again."""

from __future__ import annotations

import math
from typing import Final

from ferryman.domain.errors import ResultTimeout
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL
from ferryman.http.remote import reading
from ferryman.http.remote.asking import Ask
from ferryman.http.remote.connection import Connection
from ferryman.http.remote.paths import of_job

POLL: Final = 2.0
"""Seconds between two looks at a job that has not ended; the first looks come faster."""
_FIRST_PAUSE: Final = 0.05
HELD: Final = 20.0
"""Seconds for which the server is asked to hold an answer back until the job has ended."""
HELD_MOST: Final = 20
"""So many answers are held at once: each takes one of the connections that other requests want, too."""
_LEAST: Final = 1.0
"""Seconds that a look may take, however little time is left."""


class Waiting:
    """For what becomes of jobs. It lives on the loop of its connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held = 0

    async def ended(self, id: str, timeout: float | None) -> Job:  # noqa: ASYNC109 - it gives an error that says more
        """The job once it has ended; see `RemoteClient.wait`."""
        now = self._connection.monotonic
        deadline = math.inf if timeout is None else now() + timeout
        pause = _FIRST_PAUSE
        while True:
            begun = now()
            job = await self._look(id, deadline - begun)
            if job.status in TERMINAL:
                return job
            if now() >= deadline:
                raise ResultTimeout(f"Job {id} is {job.status} after {timeout:g} s.", hint="Wait longer for it.")
            # what the server has waited counts; one that holds no answer back is asked less and less often
            await self._connection.sleep(max(0.0, min(begun + pause, deadline) - now()))
            pause = min(2 * pause, POLL)

    async def _look(self, id: str, left: float) -> Job:
        """The job, as soon as it has ended if the server knows how to wait for that."""
        held = min(HELD, left) if self._held < HELD_MOST else 0.0
        headers = {"prefer": f"wait={held:.0f}"} if held >= 1 else {}
        within = None if math.isinf(left) else max(left, _LEAST)
        self._held += bool(headers)
        try:
            ask = Ask("GET", of_job(id), headers=headers, within=within, held=held if headers else 0.0)
            return reading.job(await self._connection.say(ask))
        finally:
            self._held -= bool(headers)
