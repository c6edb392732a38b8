"""Runs chores when they are due: one loop, one chore at a time, each chore callable alone.

A chore is correct under two sweepers that run it at once; the stores see to that.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ferryman.domain.errors import StoreError
from ferryman.engine.pause import Pause

log: Final = logging.getLogger("ferryman.engine")

AGAIN: Final = 1.0
"""Seconds after which a chore that failed is tried again."""


class Chore(Protocol):
    """Something that has to be done again and again."""

    async def step(self) -> float:
        """Do it once; gives the seconds until it is due again."""
        ...


class Sweeper:
    """Does every chore at once when it starts, then each when it is due."""

    def __init__(self, monotonic: Callable[[], float], chores: Sequence[Chore]) -> None:
        self._monotonic = monotonic
        self._due = dict.fromkeys(chores, -math.inf)
        self._pause = Pause()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the chores are done in the background."""
        if self._task is None and not self._stopping:
            self._task = asyncio.get_running_loop().create_task(self._sweep(), name="ferryman-sweeper")

    async def stop(self) -> None:
        """Let the chore under way finish, and begin no other."""
        self._stopping = True
        self._pause.cut()
        if self._task is not None:
            await asyncio.wait((self._task,))

    def sooner(self, chore: Chore, seconds: float) -> None:
        """A chore is due within so many seconds."""
        when = self._monotonic() + seconds
        if when < self._due[chore]:
            self._due[chore] = when
            self._pause.cut()

    async def _sweep(self) -> None:
        while not self._stopping:
            chore = min(self._due, key=self._due.__getitem__)
            wait = self._due[chore] - self._monotonic()
            if wait > 0:
                await self._pause.wait(wait)
            else:
                self._due[chore] = math.inf  # a `sooner` while it is done counts
                await self._do(chore)

    async def _do(self, chore: Chore) -> None:
        try:
            seconds = await chore.step()
        except StoreError as error:
            log.warning("%s: %s", type(chore).__name__, error, extra={"event": "chore_failed"})
            seconds = AGAIN
        except Exception:
            log.exception("%s failed.", type(chore).__name__, extra={"event": "chore_failed"})
            seconds = AGAIN
        self._due[chore] = min(self._due[chore], self._monotonic() + seconds)
