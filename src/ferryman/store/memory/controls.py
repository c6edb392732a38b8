"""What those ask of a memory store who look after its queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ferryman.domain.audit import Deed
from ferryman.domain.state import INITIAL, MOVABLE, TERMINAL, Status
from ferryman.store.controlling import Deleted, Placement
from ferryman.store.memory.people import People
from ferryman.store.watching import Version


class Controls(People):
    """Implements `Controlling`."""

    async def place(
        self,
        ids: Sequence[str],
        placement: Placement,
        now: int,
        *,
        deed: Deed | None = None,
        expected: Version | None = None,
    ) -> Mapping[str, Status]:
        """Move what waits, one after the other."""
        rows = [row for row in (self._expect(id, now, expected) for id in dict.fromkeys(ids)) if row is not None]
        keyed = {row.job.id for row in rows if row.job.key is not None and row.status in MOVABLE}
        met = {row.job.id: Status.WAITING if row.job.id in keyed else row.status for row in rows}
        free = [row for row in rows if row.status in MOVABLE and row.job.id not in keyed]
        moved = [row.job.id for row in free if self._tables.place(row, placement, now)]
        self._note_over(deed, moved)
        return met

    async def cancel_waiting(self, ids: Sequence[str], now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """End what nobody runs."""
        rows = [self._tables.jobs[id] for id in dict.fromkeys(ids) if id in self._tables.jobs]
        waiting = [row for row in rows if row.status in INITIAL]
        for row in waiting:
            self._tables.end_unclaimed(row, now)
        self._tables.let_in(now)
        ended = [row.job.id for row in waiting]
        self._note_over(deed, ended)
        return ended

    async def delete(self, id: str, now: int, *, deed: Deed | None = None, expected: Version | None = None) -> Deleted:
        """Forget what has ended."""
        row = self._expect(id, now, expected)
        if row is None or row.status not in TERMINAL:
            return Deleted(None if row is None else row.status)
        before = row.status
        self._tables.forget(row)
        self._tables.let_in(now)
        self._note(deed)
        return Deleted(before, gone=True)
