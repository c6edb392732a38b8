"""Who in this process waits for which job to end."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from ferryman.domain.events import Event, JobCancelledByRequest, RunsEnded


class Endings:
    """Futures by job id, woken by the events of this process. A hint only: the waiter reads the job."""

    def __init__(self) -> None:
        self._watched: dict[str, list[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many jobs are watched."""
        return len(self._watched)

    def listen(self, event: Event) -> None:
        """Wake whoever waits for a job that this event may have ended."""
        if not self._watched:
            return
        if isinstance(event, RunsEnded):
            for run in event.runs:
                self._wake(run.finish.id)
        elif isinstance(event, JobCancelledByRequest):
            self._wake(event.id)

    @contextmanager
    def watch(self, id: str) -> Generator[asyncio.Future[None]]:
        """A future that the job's next event wakes."""
        ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watchers = self._watched.setdefault(id, [])
        watchers.append(ending)
        try:
            yield ending
        finally:
            watchers.remove(ending)
            if not watchers:
                del self._watched[id]

    def _wake(self, id: str) -> None:
        for ending in self._watched.get(id, ()):
            _set(ending)


async def wait_within(ending: asyncio.Future[None], seconds: float) -> None:
    """Wait for a watched future, or until the time is over."""
    timer = asyncio.get_running_loop().call_later(seconds, _set, ending)
    try:
        await ending
    finally:
        timer.cancel()


def _set(ending: asyncio.Future[None]) -> None:
    if not ending.done():
        ending.set_result(None)
