"""Lanes by number and back; they are few and never change, so they are remembered once they are durable."""

from __future__ import annotations

from collections.abc import Iterable

from ferryman.domain.job import Lane
from ferryman.store.postgres.steps import Ask, Steps


class Lanes:
    """Every lane that this process has heard of."""

    def __init__(self) -> None:
        self.by_number: dict[int, Lane] = {}
        self._numbers: dict[tuple[str, str, int], int] = {}

    def number(self, queue: str, type: str, priority: int) -> int:
        """A lane that is known. Raises KeyError."""
        return self._numbers[queue, type, priority]

    def missing(self, lanes: Iterable[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
        """Those of these lanes that are not known yet."""
        return {lane for lane in lanes if lane not in self._numbers}

    def fitting(self, types: frozenset[str], queues: frozenset[str] | None) -> dict[int, Lane]:
        """The lanes of these types in these queues; None means every queue."""
        return {
            number: lane
            for number, lane in self.by_number.items()
            if lane.type in types and (queues is None or lane.queue in queues)
        }

    def learn(self, number: int, queue: str, type: str, priority: int) -> None:
        """Remember one."""
        self.by_number[number] = Lane(queue, type, priority)
        self._numbers[queue, type, priority] = number


def read(lanes: Lanes) -> Steps[None]:
    """Learn all lanes that there are."""
    for row in (yield Ask("lanes")):
        lanes.learn(*row)


def make(lanes: Lanes, wanted: Iterable[tuple[str, str, int]]) -> Steps[None]:
    """Learn these lanes, and make those that nobody has made. To be driven outside of any transaction: a lane that is
    not committed would hold up everybody who needs it."""
    columns = list(zip(*sorted(wanted), strict=True))
    if columns:
        yield Ask("add_lanes", tuple(list(column) for column in columns))
    yield from read(lanes)
