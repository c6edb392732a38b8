"""Waiting for what becomes of one job: until it has ended, or step by step."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable

from ferryman.client.watching import JobWatcher
from ferryman.domain.errors import StoreClosed, StoreError
from ferryman.domain.job import Job
from ferryman.domain.state import TERMINAL
from ferryman.store.watching import version_of


class Waiting:
    """Verbs of a client; any number of them at a time cost the store one read per interval.

    What happens in this process is noticed at once, anything else within `watching.INTERVAL`.
    """

    def __init__(self, watcher: JobWatcher, get: Callable[[str], Awaitable[Job]]) -> None:
        """`get` reads one job, and raises JobNotFound."""
        self._watcher = watcher
        self._get = get

    async def settled(self, id: str, seconds: float = math.inf) -> Job:
        """The job once it has ended; as it is after so many seconds, if it has not.

        A store that fails meanwhile is asked again: only the first look raises its error.

        Raises:
            JobNotFound: there is no such job (any more).
            StoreError: the store failed at the first look, or was closed.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        with self._watcher.watch(id) as watch:  # before the first look, so that no end falls between
            job = await self._get(id)
            while job.status not in TERMINAL:
                watch.known = version_of(job)
                if not await watch.news(deadline - loop.time()):
                    break
                job = await self._again(job)
        return job

    async def follow(self, id: str, seen: str | None = None, patience: float = math.inf) -> AsyncGenerator[Job | None]:
        """The job as it is, then each time that it is seen to have changed; the last time once it has ended.

        Not every change is seen: of several between two looks only the last one.

        Args:
            id: of the job.
            seen: the tag of the version that is known already, and is not given again.
            patience: where nothing was to be given for so many seconds, None is.

        Raises: as `settled`.
        """
        with self._watcher.watch(id) as watch:
            job = await self._get(id)
            while True:
                watch.known = version_of(job)
                if watch.known.tag != seen:
                    seen = watch.known.tag
                    yield job
                if job.status in TERMINAL:
                    return
                while not await watch.news(patience):
                    yield None
                job = await self._again(job)

    async def _again(self, job: Job) -> Job:
        """The job as it is now; as it was, if the store cannot say: the next look tells once more that it has moved."""
        try:
            return await self._get(job.id)
        except StoreClosed:
            raise
        except StoreError:
            return job
