"""What the jobs of a test live in: a clock moved by hand, a memory store for all threads, and clients of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from ferryman.client import Client
from ferryman.client.admission import Admission
from ferryman.domain import filters, options
from ferryman.domain.bounds import Bound
from ferryman.domain.events import Events
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, Job
from ferryman.engine.registry import Registry
from ferryman.store.protocol import Retention
from ferryman.testing.kit.client import KitClient, NobodyWakes
from ferryman.testing.kit.store import SharedStore, at_once

_ALL: Final = 2**31
"""More than there are jobs."""
_KEPT: Final = options.MAX_DELAY * MICROS
"""Ended jobs are kept however far a test moves its clock: it wants to look at them."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that hold in a test, too. Times are in seconds, sizes in bytes."""

    max_body: int
    max_pending: Bound
    accept_unknown_types: bool
    default_timeout: float
    max_result: int


class KitClock:
    """Implements the store's `Clock`: it stands still but for what a test adds and what its handlers sleep."""

    def __init__(self, start: int, slept: Callable[[], float]) -> None:
        """`start` is in microseconds since 1970 in UTC; `slept` gives the virtual seconds that handlers have slept."""
        self._now = start
        self._slept = slept

    def now(self) -> int:
        """The wall clock, in microseconds."""
        return self._now + round(self._slept() * MICROS)

    def monotonic(self) -> float:
        """The seconds in which the timers of the running loop count."""
        return asyncio.get_running_loop().time()

    def advance(self, micros: int) -> None:
        """Let time pass."""
        self._now += micros


class KitWorld:
    """One test's store, clock and ids, for any thread and any loop."""

    def __init__(self, registry: Registry, limits: Limits, clock: KitClock) -> None:
        self.registry = registry
        self.limits = limits
        self.clock = clock
        self.ids = IdMinter(random.Random(0))
        self.admission = Admission(
            registry,
            clock,
            self.ids,
            max_body=limits.max_body,
            accept_unknown_types=limits.accept_unknown_types,
        )
        self.store = SharedStore(clock, self.ids, Retention(_KEPT, _KEPT, _KEPT))

    def client(self) -> Client:
        """A client for one errand. It costs next to nothing, and so belongs to whatever loop the errand is on."""
        return KitClient(
            self.store,
            self.clock,
            self.ids,
            NobodyWakes(),
            events=Events(),
            catalogue=self.registry,
            max_body=self.limits.max_body,
            max_pending=self.limits.max_pending,
            accept_unknown_types=self.limits.accept_unknown_types,
        )

    def jobs(self, filter: str = "") -> Sequence[Job]:
        """Every job that fits, oldest first. Raises BadFilter."""
        now = self.clock.now()
        asked = msgspec.structs.replace(filters.parse(filter, now), limit=_ALL, scan=_ALL)
        return at_once(self.store.list(asked, now))

    def moment(self) -> datetime:
        """What the clock shows, in UTC."""
        return moment(self.clock.now())


def moment(micros: int) -> datetime:
    """A time as a datetime in UTC."""
    return datetime.fromtimestamp(micros // MICROS, UTC).replace(microsecond=micros % MICROS)
