"""A look at the store in every interval, while somebody attends; all who attend share it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

from ferryman.client.pausing import resolve, wait_within
from ferryman.domain.errors import StoreClosed, StoreError


class Looking:
    """For one event loop. While nobody attends nothing is read, and no timer runs."""

    def __init__(self, look: Callable[[], Awaitable[None]], rest: Callable[[], None], *, interval: float) -> None:
        """Make one; nothing is read yet.

        Args:
            look: reads the store once, and says `tell` where there is news.
            rest: called when the last one has gone.
            interval: seconds from the end of a look to the next one; longer where looks themselves take longer.
        """
        self._look = look
        self._rest = rest
        self._interval = interval
        self._attending = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed: StoreClosed | None = None
        self._failed: Exception | None = None
        """What the last look ended in."""

    def __len__(self) -> int:
        """How many attend."""
        return self._attending

    @contextmanager
    def attend(self) -> Generator[None]:
        """Be one of those for whom the store is looked at."""
        self._attending += 1
        if self._attending == 1:
            self._failed = None
            if self._task is None:
                self._set_timer(0)
        try:
            yield
        finally:
            self._attending -= 1
            if not self._attending:
                self._stop_timer()
                self._rest()

    def check(self) -> None:
        """Nothing, unless the store was closed. Raises StoreClosed."""
        if self._closed is not None:
            raise self._closed

    def check_last(self) -> None:
        """Nothing, unless the last look failed, or the store was closed. Raises StoreError."""
        self.check()
        if self._failed is not None:
            raise self._failed

    async def news(self, seconds: float) -> None:
        """Wait until there is news, or so many seconds have passed."""
        if self._closed is not None or seconds <= 0:
            return
        news = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            await wait_within(news, seconds)
        finally:
            self._waiting.discard(news)

    def tell(self) -> None:
        """Wake all who wait for news."""
        for each in self._waiting:
            resolve(each)

    async def close(self) -> None:
        """Wait for the look under way; the store is closed."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._look_around())

    async def _look_around(self) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            await self._look()
        except StoreClosed as closed:
            self._closed = closed
            self.tell()
        except Exception as error:
            self._failed = error
            self.tell()
            if not isinstance(error, StoreError):  # whose next look may succeed, and misses nothing
                raise
        else:
            self._failed = None
        finally:
            self._task = None
            if self._attending and self._closed is None:
                self._set_timer(max(self._interval, clock() - began))  # at most half of the time goes into looks
