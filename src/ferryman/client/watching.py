"""Who in this process watches which jobs, and how they hear that one has moved.

What happens in this process is heard at once, through its events. For all the rest one read per interval says how every
watched job stands, however many they are and whoever watches them; while nobody watches, nothing is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from ferryman.client.pausing import resolve, wait_within
from ferryman.domain.errors import StoreClosed, StoreError
from ferryman.domain.events import Event, JobCancelledByRequest, JobRetriedByRequest, RunsEnded
from ferryman.store.protocol import Clock
from ferryman.store.watching import Version, Watching

INTERVAL: Final = 0.2
"""Seconds between two looks at all watched jobs."""
SOON: Final = 0.01
"""Seconds until the look after somebody new has come: most waits are for jobs that end soon. Pauses then double."""


class Watch:
    """One who watches a job. What is told is a hint only: who hears it reads the job."""

    def __init__(self) -> None:
        self.known: Version | None = None
        """The version that the watcher has read; a look that finds another one tells it."""
        self._told = False
        self._waiting: asyncio.Future[None] | None = None

    async def news(self, seconds: float) -> bool:
        """Wait until the job may have moved since the last news; False: nothing was heard for so many seconds."""
        if not self._told and seconds > 0:
            self._waiting = asyncio.get_running_loop().create_future()
            await wait_within(self._waiting, seconds)
        told, self._told = self._told, False
        return told

    def tell(self) -> None:
        """The job may have moved."""
        self._told = True
        if self._waiting is not None:
            resolve(self._waiting)


class JobWatcher:
    """Watches any number of jobs for any number of watchers, all on one event loop."""

    def __init__(self, store: Watching, clock: Clock, interval: float = INTERVAL) -> None:
        """`interval` is in seconds."""
        self._store = store
        self._clock = clock
        self._interval = interval
        self.looks = 0
        """How often the store was read."""
        self._watches: dict[str, list[Watch]] = {}
        self._pause = interval
        """Seconds until the look after the next one."""
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many jobs are watched."""
        return len(self._watches)

    @contextmanager
    def watch(self, id: str) -> Generator[Watch]:
        """Watch a job for as long as the block lasts; whatever happens from now on is told."""
        watch = Watch()
        watches = self._watches.setdefault(id, [])
        watches.append(watch)
        self._hasten()
        try:
            yield watch
        finally:
            watches.remove(watch)
            if not watches:
                del self._watches[id]
            if not self._watches:
                self._rest()

    def listen(self, event: Event) -> None:
        """Tell those who watch a job of which this process says something."""
        if not self._watches:
            return
        if isinstance(event, RunsEnded):
            for run in event.runs:
                self._tell(run.finish.id)
        elif isinstance(event, JobCancelledByRequest | JobRetriedByRequest):
            self._tell(event.id)

    async def close(self) -> None:
        """Wait for the look under way; the store is closed."""
        if self._look is not None:
            await asyncio.wait([self._look])

    def _tell(self, id: str) -> None:
        for watch in self._watches.get(id, ()):
            watch.tell()

    # -- looks -----------------------------------------------------------------------------------

    def _hasten(self) -> None:
        """Somebody new has come: look soon, but never later than it was to be."""
        self._pause = SOON
        if self._look is None and (self._timer is None or self._timer.when() > _time() + SOON):
            self._set_timer()

    def _set_timer(self) -> None:
        self._rest()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._begin)
        self._pause = min(2 * self._pause, self._interval)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer = None
        self._look = asyncio.get_running_loop().create_task(self._look_around())

    async def _look_around(self) -> None:
        began, ids = _time(), list(self._watches)
        self.looks += 1
        try:
            versions = await self._store.versions(ids, self._clock.now())
            self._compare(ids, versions)
        except StoreClosed:
            self._compare(ids, {})  # they find that out for themselves, now that no look will help them
        except StoreError:
            pass  # whoever waits has a time of its own, and the next look may succeed
        finally:
            self._look = None
            self._pause = max(self._pause, _time() - began)  # at most half of the time goes into looks
            if self._watches:
                self._set_timer()

    def _compare(self, ids: Sequence[str], versions: Mapping[str, Version]) -> None:
        """Tell those who know of another version; who is not ready to be told yet is told by the next look."""
        for id in ids:
            for watch in self._watches.get(id, ()):
                if watch.known is not None and watch.known != versions.get(id):
                    watch.tell()


def _time() -> float:
    return asyncio.get_running_loop().time()
