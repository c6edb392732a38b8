"""Who in this process listens to what happens to all jobs.

However many listen, the journal is read once per interval, and its newest changes are kept for all of them. A listener
is nothing but a position. One that is behind what is kept, because it has come again or its reader is slow, reads the
store by itself until it has caught up; so nobody's slowness costs memory. While nobody listens nothing is read.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from ferryman.client.looking import Looking
from ferryman.client.watching import INTERVAL
from ferryman.domain.filters.meaning import is_like
from ferryman.domain.state import Status
from ferryman.store.journaling import PAGE, Change, Journaling, Position, Told, position_of
from ferryman.store.protocol import Clock

ROOM: Final = 10_000
"""So many of the newest changes are kept for those who listen; now and then twice as many."""
_position: Final = attrgetter("position")


class Wanted(msgspec.Struct, frozen=True):
    """Which changes somebody wants to hear of; where nothing is said, all."""

    queues: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    """In which `*` stands for any text."""
    statuses: frozenset[Status] = frozenset()

    def fits(self, change: Change) -> bool:
        """Whether this is one of them."""
        return (
            (not self.statuses or change.status in self.statuses)
            and (not self.queues or change.lane.queue in self.queues)
            and (not self.types or any(is_like(change.lane.type, each) for each in self.types))
        )


ALL: Final = Wanted()


class Start(NamedTuple):
    """Where a listener begins."""

    place: Position
    gap: bool = False
    """Whether it wanted to begin earlier, and what was between is not known any more."""


class Heard(NamedTuple):
    """What a listener hears at once: changes that it wants, maybe none."""

    changes: Sequence[Change]
    place: Position
    """Up to where it has heard everything."""
    gap: bool = False
    """Whether something is missing before `place`."""


class Listening:
    """Verbs of a client, on one event loop."""

    def __init__(self, store: Journaling, clock: Clock, *, interval: float = INTERVAL, room: int = ROOM) -> None:
        """`interval` is in seconds."""
        self._store = store
        self._clock = clock
        self._room = room
        self._looking = Looking(self._look, self._rest, interval=interval)
        self._changes: list[Change] = []
        """What is known between the two positions, the newest at the end."""
        self._floor: Position | None = None
        self._head: Position | None = None

    def __len__(self) -> int:
        """How many listen."""
        return len(self._looking)

    async def begin(self, seen: str | None = None) -> Start:
        """Where to begin: what is asked of the store after this is told.

        Args:
            seen: the tag of the position up to which everything has been heard already.

        Raises:
            StoreError: the store failed.
        """
        place = None if seen is None else position_of(seen)
        told = await self._store.journal(place, self._clock.now(), 1)
        if place is None or told.gap:
            return Start(told.next, gap=seen is not None)
        return Start(place)

    async def follow(self, start: Start, wanted: Wanted = ALL, patience: float = math.inf) -> AsyncGenerator[Heard]:
        """What happens from there on, as it is heard of: within `watching.INTERVAL` of its commit.

        Where nothing was to be told for `patience` seconds, that is, and how far everything has been heard.

        Raises:
            StoreError: the store failed while this listener had to catch up, or was closed.
        """
        clock = asyncio.get_running_loop().time
        place, gap, due = start.place, start.gap, clock()
        with self._looking.attend():
            while True:
                told = await self._after(place)
                place, gap = told.next, gap or told.gap
                found = [each for each in told.changes if wanted.fits(each)]
                if found or gap or clock() >= due:
                    yield Heard(found, place, gap)
                    gap, due = False, clock() + patience
                await self._news(place, due - clock())

    async def close(self) -> None:
        """Wait for the look under way; the store is closed."""
        await self._looking.close()

    # -- what listeners ask ----------------------------------------------------------------------

    async def _after(self, place: Position) -> Told:
        """A page of what comes after a position, as far as it is known."""
        self._looking.check()
        if self._floor is None or self._head is None or place >= self._head:
            return Told((), place)
        if place < self._floor:
            return await self._store.journal(place, self._clock.now())
        first = bisect_right(self._changes, place, key=_position)
        changes = self._changes[first : first + PAGE]
        whole = first + PAGE >= len(self._changes)
        return Told(changes, self._head if whole else changes[-1].position)

    async def _news(self, place: Position, seconds: float) -> None:
        """Wait until there is something after a position, or so many seconds have passed."""
        if self._head is None or place >= self._head:
            await self._looking.news(seconds)

    # -- looks -----------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Nobody listens any more: whoever does next begins anew."""
        self._changes.clear()
        self._floor = self._head = None

    async def _look(self) -> None:
        while await self._read():
            pass

    async def _read(self) -> bool:
        """Read a page, and tell of it. Returns whether there is more to read at once."""
        before = self._head
        told = await self._store.journal(before, self._clock.now())
        if not self._looking:
            return False
        if before != self._head:
            return True  # all have gone meanwhile, and others have come
        if before is None or told.gap:
            self._changes.clear()
            self._floor = told.next
        self._head = told.next
        self._changes += told.changes
        if len(self._changes) > 2 * self._room:
            self._floor = self._changes[-self._room - 1].position
            del self._changes[: -self._room]
        if told.next != before:
            self._looking.tell()
        return told.more
