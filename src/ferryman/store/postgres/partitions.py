"""Keeps partitions for the days to come, and drops those of days that nobody needs any more.

A day's partitions are dropped as a whole, which costs the same for ten jobs and for a billion; what still waits, runs
or is kept longer moves to the rest before. The server's clock says which day it is, and its functions have the rights
that a node has not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ferryman.domain.errors import StoreError
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.steps import Ask, Steps
from ferryman.store.protocol import Retention

PERIOD: Final = 600.0
"""Seconds between two looks."""
SOON: Final = 30.0
"""Seconds until the next one where a lock could not be had."""
KEPT: Final = 10_000
"""So many jobs of a day may move to the rest; where there are more, the day stays as it is."""


class Partitions:
    """One node's part in it; several may do it at once."""

    def __init__(self, retention: Retention, monotonic: Callable[[], float]) -> None:
        self._retention = retention
        self._monotonic = monotonic
        self._due = 0.0

    async def keep(self, line: Line, now: int) -> None:
        """Make and drop what is due, if it is time. Whatever keeps it from being done, the next time is soon."""
        moment = self._monotonic()
        if moment < self._due:
            return
        self._due = moment + SOON
        with suppress(StoreError):
            # first, since a reader may keep old ones from being dropped for days
            await line.do(self._make())
            await line.do(self._drop(now))
            self._due = self._monotonic() + PERIOD

    def _make(self) -> Steps[None]:
        """Today's partitions and those of the next days. Fails where a reader holds a lock, or where jobs of such a
        day lie in the rest already; those stay there, as do all of that day."""
        yield Ask("make_partitions")

    def _drop(self, now: int) -> Steps[int]:
        """Drop what retention no longer keeps; gives how many days."""
        keep = self._retention
        days = yield Ask("old_partitions", (now - min(keep.completed, keep.failed, keep.cancelled),))
        dropped = 0
        for (day,) in days:
            ended = (now - keep.completed, now - keep.failed, now - keep.cancelled)
            ((kept,),) = yield Ask("drop_partitions", (day, *ended, KEPT))
            dropped += kept >= 0
        return dropped
