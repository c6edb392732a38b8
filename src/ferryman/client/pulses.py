"""How many jobs there are, told to many at once: a pulse whenever that has changed.

However many look, the store is read once per interval, and a pulse is made once for all who look at the same queues. A
viewer is nothing but the tag of the pulse that it was told last; one that is slow is told the newest when it has time.
While nobody looks nothing is read.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from hashlib import blake2b
from typing import Final

import msgspec

from ferryman.client.looking import Looking
from ferryman.store.protocol import Clock, Counts, Store

INTERVAL: Final = 0.25
"""Seconds between two looks: so often a second there are news at most."""
NODES_INTERVAL: Final = 2.0
"""How many seconds old the number of nodes may be; to count them costs more than all the rest."""
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Pulse(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """What is told at once."""

    at: int
    """When the store was read, in microseconds."""
    counts: Counts
    """Of the queues that somebody looks at."""
    nodes: int
    """How many live."""
    tag: str
    """The same for the same content, whoever tells it. That a first job goes on waiting is no other content."""


class Pulses:
    """For one event loop."""

    def __init__(self, store: Store, clock: Clock, *, interval: float = INTERVAL) -> None:
        """`interval` is in seconds."""
        self._store = store
        self._clock = clock
        self._looking = Looking(self._look, self._rest, interval=interval)
        self._seen: Pulse | None = None
        """Of all queues, as of the last look."""
        self._made: dict[frozenset[str] | None, Pulse] = {}
        """The pulses of the last look that somebody has asked for."""
        self._nodes = 0
        self._nodes_at = -math.inf
        """When they were counted."""

    def __len__(self) -> int:
        """How many look."""
        return len(self._looking)

    async def begin(self) -> None:
        """Wait until the store has been read: what is told then can be told. Raises StoreError: it cannot be read."""
        with self._looking.attend():
            while True:
                self._looking.check_last()
                if self._seen is not None:
                    return
                await self._looking.news(math.inf)

    async def follow(
        self, queues: frozenset[str] | None = None, seen: str | None = None, patience: float = math.inf
    ) -> AsyncGenerator[Pulse | None]:
        """How many jobs there are now, then each time that this has changed, at most once per `INTERVAL`.

        A store that fails is asked again.

        Args:
            queues: whose jobs; None is of all.
            seen: the tag of the pulse that is known already, and is not told again.
            patience: where nothing was to be told for so many seconds, None is.

        Raises:
            StoreClosed: the store was closed.
        """
        clock = asyncio.get_running_loop().time
        due = clock() + patience
        with self._looking.attend():
            while True:
                self._looking.check()
                pulse = self._pulse(queues)
                if pulse is not None and pulse.tag != seen:
                    seen, due = pulse.tag, clock() + patience
                    yield pulse
                elif clock() >= due:
                    due = clock() + patience
                    yield None
                else:
                    await self._looking.news(due - clock())

    async def close(self) -> None:
        """Wait for the look under way; the store is closed."""
        await self._looking.close()

    def _pulse(self, queues: frozenset[str] | None) -> Pulse | None:
        """The pulse of the last look for those who look at these queues; None where there was none yet."""
        if self._seen is None:
            return None
        made = self._made.get(queues)
        if made is None:
            seen = self._seen
            made = self._made[queues] = pulse_of(seen.at, seen.counts.within(queues), seen.nodes)
        return made

    def _rest(self) -> None:
        """Nobody looks any more: whoever does next is not told what is old."""
        self._seen = None
        self._made.clear()
        self._nodes_at = -math.inf

    async def _look(self) -> None:
        now = self._clock.now()
        counts = await self._store.counts(now)
        moment = self._clock.monotonic()
        if moment - self._nodes_at >= NODES_INTERVAL:
            self._nodes = sum(each.live for each in await self._store.nodes(now))
            self._nodes_at = moment
        if not self._looking:
            return
        before, self._seen = self._seen, pulse_of(now, counts, self._nodes)
        self._made = {None: self._seen}
        if before is None or before.tag != self._seen.tag:
            self._looking.tell()


def pulse_of(at: int, counts: Counts, nodes: int) -> Pulse:
    """A pulse with its tag."""
    groups = [(group, each.standing, each.totals) for group, each in sorted(counts.tallied.items())]
    since = {queue: at - age for queue, age in counts.oldest_pending.items()}
    return Pulse(at, counts, nodes, blake2b(_encode((groups, since, nodes)), digest_size=8).hexdigest())
