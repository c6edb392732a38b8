"""The operations of a memory store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ferryman.domain.audit import Deed
from ferryman.domain.bulk import KEPT, BulkAction, BulkStatus
from ferryman.domain.errors import PreconditionFailed
from ferryman.domain.state import MOVABLE, RETRIABLE, TERMINAL
from ferryman.store.bulk import (
    Advanced,
    BulkOperation,
    Pick,
    Portion,
    Wish,
    after_cancel,
    after_portion,
    deed_of,
)
from ferryman.store.memory.controls import Controls


class BulkOperations(Controls):
    """Implements `Bulk`, over the verbs for one job: none of them awaits anything.

    They are those of this class, so that whoever takes turns with its verbs has one for the whole portion.
    """

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        """Write the row, unless it is there."""
        if operation.id not in self._tables.operations:
            self._tables.operations[operation.id] = operation
            self._note(deed)

    async def operation(self, id: str) -> BulkOperation | None:
        """The row."""
        return self._tables.operations.get(id)

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        """Rows from the end."""
        rows = sorted(self._tables.operations.items(), reverse=True)
        return [row for id, row in rows if before is None or id < before][:limit]

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        """Rows from the beginning."""
        rows = [row for _, row in sorted(self._tables.operations.items())]
        return [row for row in rows if row.status is BulkStatus.RUNNING][:limit]

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        """Change the jobs one after the other, if the row stands where it stood."""
        kept = self._tables.operations.get(operation.id)
        if kept is None or kept.status is not BulkStatus.RUNNING or kept.step != operation.step:
            return None
        changed = [pick.id for pick in portion.picks if await self._change(kept.wish, pick, now)]
        after = after_portion(kept, portion, len(changed), now)
        self._tables.operations[kept.id] = after
        self._note_over(deed_of(kept, now), changed)
        return Advanced(after, changed)

    async def _change(self, wish: Wish, pick: Pick, now: int) -> bool:
        """Do to one job what is asked for; False: it is not as it was, or this cannot be done to it."""
        with suppress(PreconditionFailed):
            self._expect(pick.id, now, pick.version)
            match wish.action:
                case BulkAction.RETRY:
                    retried = await super().retry(pick.id, now, pick.run_at)
                    return retried.before in RETRIABLE and retried.holder is None
                case BulkAction.CANCEL:
                    return (await super().cancel(pick.id, now)).before not in TERMINAL
                case BulkAction.DELETE:
                    return (await super().delete(pick.id, now)).gone
                case _:
                    assert wish.placement is not None
                    return (await super().place([pick.id], wish.placement, now))[pick.id] in MOVABLE
        return False

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        """Write the row as it is once it is stopped."""
        kept = self._tables.operations.get(id)
        if kept is not None and kept.status is BulkStatus.RUNNING:
            self._tables.operations[id] = after_cancel(kept, now)
            self._note(deed)
        return None if kept is None else kept.status

    def _forget_operations(self, now: int) -> None:
        """Drop those that ended long ago."""
        rows = self._tables.operations
        for row in list(rows.values()):
            if row.finished_at is not None and row.finished_at <= now - KEPT:
                del rows[row.id]
