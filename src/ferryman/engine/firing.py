"""Fires what schedules have due, and tells the store which ones the code declares.

Every node does so: which of them is first at a tick, the store decides (see `store.scheduling`).
"""

from __future__ import annotations

import logging
from typing import Final

from ferryman.domain.errors import BadSchedule, StoreError
from ferryman.domain.events import Enqueued, Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.engine.registry import Registry
from ferryman.engine.telling import tell
from ferryman.store.protocol import Clock, Store, Wakeup
from ferryman.store.scheduling import KeptSchedule

log: Final = logging.getLogger("ferryman.engine")

LOOK: Final = 2.0
"""Seconds between two looks for schedules that others have put or changed."""
AGAIN: Final = 1.0
"""Seconds after which a tick is tried again that waits, or that the store did not take."""
UNFORESEEN: Final = 10.0
"""The same, after an error of which nobody knows whether it passes."""
AT_ONCE: Final = 20
"""How many schedules one step fires: at midnight all are due, and other chores have their turn in between."""
_NEVER: Final = 1 << 62

Version = tuple[int, int]
"""Up to when a schedule's ticks are dealt with, and when it was changed: another one has other ticks to come."""


class FireSchedules:
    """Due ticks become jobs."""

    def __init__(self, store: Store, clock: Clock, ids: IdMinter, wakeup: Wakeup, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._wakeup = wakeup
        self._events = events
        self._next: dict[str, tuple[Version, int]] = {}
        """When to look at each schedule again, as long as it stands as it did."""

    async def step(self) -> float:
        """Fire what is due; due again when the next tick is, or for the next look."""
        kept = [each for each in await self._store.schedules() if not each.paused]
        now = self._clock.now()
        self._next = {each.name: self._known(each) for each in kept}
        due = [each for each in kept if self._next[each.name][1] <= now]
        for each in due[:AT_ONCE]:
            self._next[each.name] = (_version(each), await self._look(each, now))
        if len(due) > AT_ONCE:
            return 0.0
        soonest = min((at for _, at in self._next.values()), default=_NEVER)
        return min(LOOK, max(0.0, (soonest - self._clock.now()) / MICROS))

    def _known(self, kept: KeptSchedule) -> tuple[Version, int]:
        version = _version(kept)
        known = self._next.get(kept.name)
        return known if known is not None and known[0] == version else (version, 0)

    async def _look(self, kept: KeptSchedule, now: int) -> int:
        """Fire what one schedule has due. Gives when to look at it again; what is wrong with it holds up no other."""
        try:
            ticks = kept.schedule.due(kept.seen_until, now)
            if ticks:
                return await self._fire(kept, ticks, now)
            return next(kept.schedule.cron.ticks(max(now, kept.seen_until)), _NEVER)
        except StoreError as error:
            log.warning("The schedule %s: %s", kept.name, error, extra={"event": "schedule_failed"})
            return now + round(AGAIN * MICROS)
        except BadSchedule as error:
            # until it is changed, or this node begins anew with another time zone database
            log.error("The schedule %s does not fire: %s", kept.name, error, extra={"event": "schedule_failed"})
            return _NEVER
        except Exception:
            log.exception("The schedule %s did not fire.", kept.name, extra={"event": "schedule_failed"})
            return now + round(UNFORESEEN * MICROS)

    async def _fire(self, kept: KeptSchedule, ticks: list[int], now: int) -> int:
        """Hand the jobs in. Gives when to look again: at once, unless they wait, since the schedule stands anew."""
        order = kept.schedule.order
        firing = kept.schedule.firing(kept.seen_until, kept.changed_at, ticks, lambda: self._ids.mint(now), now)
        fired = await self._store.fire(firing, now)
        if fired is not None and fired.waits:
            return now + round(AGAIN * MICROS)
        if fired is not None and fired.jobs:
            self._wakeup.work()
            tell(self._events, Enqueued(order.type, order.queue, len(fired.jobs)))
        return now


class DeclareSchedules:
    """Puts what the code declares into the store, and marks what it declares no more."""

    def __init__(self, store: Store, clock: Clock, registry: Registry) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry

    async def step(self) -> None:
        """Do it once. Of other types' schedules this code says nothing. Raises StoreError."""
        mine, types = self._registry.schedules, self._registry.types
        kept = {each.name: each for each in await self._store.schedules()}
        for name, schedule in mine.items():
            there = kept.get(name)
            if there is None or not there.declared or there.declaration != schedule:
                await self._store.put_schedule(schedule, self._clock.now(), declared=True)
        for name, there in kept.items():
            if there.declared and name not in mine and there.schedule.order.type in types:
                await self._store.undeclare_schedule(name)
                log.warning(
                    "The schedule %s is declared no more. It goes on: drop it with `ferryman schedules rm %s`.",
                    name,
                    name,
                    extra={"event": "schedule_undeclared"},
                )


def _version(kept: KeptSchedule) -> Version:
    return kept.seen_until, kept.changed_at
