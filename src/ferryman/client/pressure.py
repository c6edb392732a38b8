"""How full queues are: bounds on the age of their first job, and when it is worth coming again.

The store is looked at no more than once a second, and only where an age is bounded or somebody was refused. So a queue
takes jobs for up to a second after its first job has become too old.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from typing import Final

from ferryman.domain.bounds import OTHERS, Bound, bound_of
from ferryman.domain.errors import StoreError
from ferryman.domain.job import MICROS
from ferryman.domain.state import INITIAL
from ferryman.store.protocol import Clock, Counts, Store

LOOK_SECONDS: Final = 1.0
WINDOW_SECONDS: Final = 60.0
"""Over so long the rate is measured at which jobs end."""
ROOM: Final = 0.1
"""The part of a queue's bound that is to be free again before those who were refused come back."""
RETRY_AFTER_MAX: Final = 3600


class Pressure:
    """What is known of the store's queues, and what follows from it. For one loop."""

    def __init__(self, store: Store, clock: Clock, *, max_pending: Bound, max_age: Bound) -> None:
        """`max_age` is in seconds."""
        self._store = store
        self._clock = clock
        self._max_pending = max_pending
        self._max_age = max_age
        self._looks: deque[tuple[float, Counts]] = deque()
        self._looking = asyncio.Lock()

    async def bounds(self) -> Bound:
        """The bounds that the store is to hold now: a queue whose first job is too old takes no other one.

        It is as full with that job alone, so that the store still knows replays and keys, and a queue that has become
        empty meanwhile takes jobs again at once.
        """
        if not self._max_age:
            return self._max_pending
        counts = await self._look()
        old = {queue: 1.0 for queue in counts.oldest_pending if self._overdue(counts, queue) > 0}
        if not old:
            return self._max_pending
        given = self._max_pending if isinstance(self._max_pending, Mapping) else {OTHERS: self._max_pending}
        return {**given, **old}

    async def full(self, wanted: Mapping[str, int]) -> str | None:
        """A queue that has no room for as many more jobs as are `wanted` in it, as it is now; None if all have."""
        bounds = await self.bounds()
        if not bounds:
            return None
        standing = (await self._store.counts(self._clock.now())).standing
        for queue, count in wanted.items():
            bound = bound_of(bounds, queue)
            if bound and count + sum(standing.get((queue, status), 0) for status in INITIAL) > bound:
                return queue
        return None

    async def retry_after(self, queue: str) -> int:
        """In how many whole seconds a queue may have room again, by the rate at which its jobs have ended lately.

        1 where nothing is known of that: at the first refusal, where no job has ended, where the store fails.
        """
        try:
            counts = await self._look()
        except StoreError:
            return 1
        rate = self._rate(queue)
        seconds = self._overdue(counts, queue)
        if rate:
            seconds = max(seconds, max(1.0, bound_of(self._max_pending, queue) * ROOM) / rate)
        return min(max(1, math.ceil(seconds)), RETRY_AFTER_MAX)

    async def per_second(self, queue: str) -> float | None:
        """How many jobs of a queue end in a second; None where this client has not looked twice yet, or none ended."""
        await self._look()
        return self._rate(queue) or None

    def _overdue(self, counts: Counts, queue: str) -> float:
        """For how many seconds the first job of a queue has been too old."""
        bound = bound_of(self._max_age, queue)
        return counts.oldest_pending.get(queue, 0) / MICROS - bound if bound else 0.0

    def _rate(self, queue: str) -> float:
        """How many jobs of a queue have ended in each second between the first look of the window and the last."""
        (begin, first), (end, last) = self._looks[0], self._looks[-1]
        ended = last.ended.get(queue, 0) - first.ended.get(queue, 0)
        return ended / (end - begin) if end > begin else 0.0

    async def _look(self) -> Counts:
        """The counts, a second old at most; who asks while somebody looks is told the same."""
        async with self._looking:
            now = self._clock.monotonic()
            if not self._looks or now - self._looks[-1][0] >= LOOK_SECONDS:
                self._looks.append((now, await self._store.counts(self._clock.now())))
                while now - self._looks[0][0] > WINDOW_SECONDS:
                    self._looks.popleft()
            return self._looks[-1][1]
