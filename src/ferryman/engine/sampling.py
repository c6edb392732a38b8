"""Gathers what charts are made of: once a minute what all have done, and how long the runs of this node took."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ferryman.domain.buckets import Buckets, count_into, merged
from ferryman.domain.errors import StoreError
from ferryman.domain.events import Ended, Event, RunsEnded
from ferryman.domain.job import MICROS
from ferryman.domain.series import MINUTE, Timing
from ferryman.store.protocol import Clock, Store

log: Final = logging.getLogger("ferryman.engine")

LANES_MOST: Final = 1000
"""Runs of more lanes than these are not timed, so that no minute takes more memory, and rows, than can be had."""
PILE: Final = 4096
"""So many runs are counted at one go, in less than a millisecond."""

LaneOf = tuple[str, str, int]
"""queue, type, priority"""


class Times:
    """How long the runs of a lane waited and took, in microseconds, until they are counted; and what was counted."""

    __slots__ = ("ran", "runs", "waited", "waits")

    def __init__(self) -> None:
        self.waits: list[int] = []
        self.runs: list[int] = []
        self.waited: Buckets = {}
        self.ran: Buckets = {}

    def count(self) -> None:
        """Count what has come since the last time."""
        count_into(self.waited, self.waits)
        count_into(self.ran, self.runs)


class Sampler:
    """A chore that has every minute sampled, and a listener to the ends of runs.

    Each run is told of once, when its end is durable, whatever ran its handler. What has ended since the last time
    belongs to the minute that is over, so that no run is asked for its minute.
    """

    def __init__(self, store: Store, clock: Clock, node: Callable[[], int]) -> None:
        """`node` gives the number under which the timings are kept: the one of the first life."""
        self._store = store
        self._clock = clock
        self._ask_node = node
        self._node: int | None = None
        self._lanes: dict[LaneOf, Times] = {}
        self._piled = 0
        """How many runs have come since times were counted."""
        self._until = 0
        """The end of the last minute whose timings are complete."""
        self._unwritten: list[Timing] = []

    def listen(self, event: Event) -> None:
        """Take the times of runs that have ended."""
        if isinstance(event, RunsEnded):
            self._pile(event.runs)
            self._piled += len(event.runs)
            if self._piled >= PILE:
                self._count()

    def _pile(self, runs: Sequence[Ended]) -> None:
        """Every job passes here, so nothing is made of its times yet."""
        lanes = self._lanes
        for ended in runs:
            finish = ended.finish
            started_at = finish.started_at
            if started_at is None:
                continue
            times = lanes.get(finish.lane) or self._begin(finish.lane)
            if times is None:
                continue
            times.runs.append(finish.finished_at - started_at)
            job = ended.job
            if job.number == 1:  # later claims had other times to be due, which nobody kept
                due = job.created_at if job.run_at is None else max(job.created_at, job.run_at)
                times.waits.append(started_at - due)

    def _begin(self, lane: LaneOf) -> Times | None:
        if len(self._lanes) >= LANES_MOST:
            return None
        times = self._lanes[lane] = Times()
        return times

    def _count(self) -> None:
        for times in self._lanes.values():
            times.count()
        self._piled = 0

    async def step(self) -> float:
        """Write the minute that is over; due again when the next one is."""
        now = self._clock.now()
        minute = now // MINUTE * MINUTE
        self._close(minute)
        await self._write(minute)
        return (minute + MINUTE - now) / MICROS

    async def stop(self) -> None:
        """Write the timings of the minute under way; what cannot be written now is lost."""
        minute = self._clock.now() // MINUTE * MINUTE
        self._close(minute + MINUTE)
        if self._unwritten:
            try:
                await self._write(minute)
            except StoreError as error:
                log.warning("The last timings were not written: %s", error, extra={"event": "sample_failed"})

    def _close(self, minute: int) -> None:
        """What was timed until now belongs to the minute that ends here; said again, or earlier, it changes nothing."""
        if minute > self._until:
            self._until = minute
            self._count()
            self._unwritten += timings_of(self._lanes, minute)
            self._lanes = {}

    async def _write(self, minute: int) -> None:
        """A write that failed is said again with the same rows, which replace themselves."""
        if self._node is None:
            self._node = self._ask_node()
        await self._store.sample(minute, self._node, self._unwritten)
        self._unwritten = []


def timings_of(lanes: Mapping[LaneOf, Times], at: int) -> list[Timing]:
    """The timings of each queue and type, whatever the priority of its jobs."""
    groups: dict[tuple[str, str], list[Times]] = {}
    for (queue, type, _), times in lanes.items():
        groups.setdefault((queue, type), []).append(times)
    return [
        Timing(*group, at, merged(each.waited for each in found), merged(each.ran for each in found))
        for group, found in groups.items()
    ]
