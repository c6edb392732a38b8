"""The journal of a memory store: a list, from whose front prune takes away."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import NamedTuple

from ferryman.domain.job import Lane
from ferryman.domain.state import Status
from ferryman.store.journaling import KEPT, Change, Position, Told, attendance
from ferryman.store.memory.rows import JobRow


class Row(NamedTuple):
    """A change."""

    at: int
    id: str
    lane: Lane
    claim: int
    what: str
    status: Status


class Journal:
    """What has happened to jobs while somebody listened."""

    def __init__(self) -> None:
        self._since = 0
        self._until = 0
        self._first = 1
        """The number of the first row; they are numbered without a gap."""
        self._rows: deque[Row] = deque()

    def write(self, row: JobRow, claim: int, what: str, status: Status, now: int) -> None:
        """Note a change of a job, if somebody may be listening."""
        if now < self._until:
            self._rows.append(Row(now, row.job.id, row.job.lane, claim, what, status))

    def read(self, after: Position | None, now: int, limit: int) -> Told:
        """See `Journaling.journal`."""
        attends = attendance(self._since, self._until, now)
        if attends is not None:
            self._since, self._until = attends
        end = self._first + len(self._rows)
        if after is None or after.since != self._since or not self._first <= after.place <= end:
            return Told((), Position(self._since, 0, end, 0), gap=after is not None)
        start = after.place - self._first + min(after.offset, 1)
        found = list(islice(self._rows, start, start + limit))
        first = self._first + start
        changes = [Change(Position(self._since, 0, number, 1), *row) for number, row in enumerate(found, first)]
        following = first + len(found)
        return Told(changes, Position(self._since, 0, following, 0), more=following < end)

    def forget(self, now: int, limit: int) -> None:
        """Drop what is not kept any longer."""
        while limit and self._rows and self._rows[0].at <= now - KEPT:
            self._rows.popleft()
            self._first += 1
            limit -= 1
