"""Now and then, beside the claims, a look behind the cursor: see `left_behind.sql`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ferryman.domain.errors import StoreError
from ferryman.store.postgres import claiming
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.cursor import Cursor

LOOK_BEHIND_SECONDS: Final = 10.0
"""How often a node looks behind its cursor."""


class LookBehind:
    """Looks for what other nodes' claims gave back behind the cursor. One look at a time."""

    def __init__(self, cursor: Cursor, line: Line, monotonic: Callable[[], float]) -> None:
        self._cursor = cursor
        self._line = line
        self._monotonic = monotonic
        self._due = 0.0
        self._looking: asyncio.Task[None] | None = None

    def begin_if_due(self) -> None:
        """Begin a look on the running loop if it is time, and wait for nothing."""
        now = self._monotonic()
        if now >= self._due and (self._looking is None or self._looking.done()):
            self._due = now + LOOK_BEHIND_SECONDS
            self._looking = asyncio.get_running_loop().create_task(self.look())

    async def look(self) -> None:
        """Look once. One that fails is made up for by the next."""
        with suppress(StoreError):
            await self._line.do(claiming.left_behind(self._cursor))

    async def flush(self) -> None:
        """Wait until the look under way has ended."""
        if self._looking is not None:
            await asyncio.wait((self._looking,))

    def abandon(self) -> None:
        """Forget the look under way: it belongs to the process that forked this one."""
        self._looking = None
