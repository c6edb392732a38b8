"""What the sweeper does for the whole store: promote, rescue, expire, force cancels, prune."""

from __future__ import annotations

from typing import Final

from ferryman.domain.events import Events, JobsRescued
from ferryman.domain.job import MICROS
from ferryman.engine.telling import tell
from ferryman.store.protocol import Clock, Store, Wakeup

PERIOD: Final = 0.5
"""Seconds between two promotes, and two rescues; wakeups for what is due earlier may be lost."""
SHORTEST: Final = 0.05
"""Seconds between two rescues of a store that takes longer than that for one."""
EXPIRE_PERIOD: Final = 1.0
PRUNE_PERIOD: Final = 5.0
FORCE_AFTER: Final = 30.0
"""Seconds after which a running job is cancelled over its node's head: longer than a node's own ladder."""
BATCH: Final = 1000
"""How many jobs one step touches, so that no commit is long."""


class Promote:
    """Scheduled jobs that are due become pending."""

    def __init__(self, store: Store, clock: Clock, wakeup: Wakeup) -> None:
        self._store = store
        self._clock = clock
        self._wakeup = wakeup

    async def step(self) -> float:
        """One batch; due again when the next job is, at once if there may be more."""
        now = self._clock.now()
        promoted = await self._store.promote(now, BATCH)
        if promoted.count:
            self._wakeup.work()
        if promoted.count >= BATCH:
            return 0.0
        if promoted.next_due is None:
            return PERIOD
        return min(PERIOD, max(0.0, (promoted.next_due - now) / MICROS))

    def due_in(self, run_at: int) -> float:
        """Seconds until a time of the store."""
        return (run_at - self._clock.now()) / MICROS


class Rescue:
    """The claims of dead nodes are given back."""

    def __init__(self, store: Store, clock: Clock, wakeup: Wakeup, events: Events, lease: float) -> None:
        self._store = store
        self._clock = clock
        self._wakeup = wakeup
        self._events = events
        self._lease = lease

    async def step(self) -> float:
        """Every dead node there is. Due again a period after it began: a store that is slow must not add to the time
        in which a dead node is found."""
        began = self._clock.monotonic()
        rescued = await self._store.rescue(self._clock.now(), self._lease)
        for node in rescued:
            tell(self._events, JobsRescued(node.node, node.count))
        if rescued:
            self._wakeup.work()
        return max(SHORTEST, PERIOD - (self._clock.monotonic() - began))


class Expire:
    """Jobs that nobody started before their expires_at are cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def step(self) -> float:
        """One batch; at once again if it was full."""
        count = await self._store.expire(self._clock.now(), BATCH)
        return 0.0 if count >= BATCH else EXPIRE_PERIOD


class ForceCancel:
    """Running jobs whose node does not act on a cancel end cancelled; what their handlers do is fenced."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def step(self) -> float:
        """Every one that was asked for too long ago."""
        now = self._clock.now()
        await self._store.force_cancel(now - round(FORCE_AFTER * MICROS), now)
        return EXPIRE_PERIOD


class Prune:
    """What retention no longer keeps is deleted."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def step(self) -> float:
        """One batch; at once again if it deleted anything."""
        return 0.0 if await self._store.prune(self._clock.now(), BATCH) else PRUNE_PERIOD
