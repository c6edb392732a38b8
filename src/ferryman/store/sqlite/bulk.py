"""The operations of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.bulk import BulkAction, BulkStatus
from ferryman.domain.state import MOVABLE, RETRIABLE, TERMINAL
from ferryman.store.bulk import (
    Advanced,
    BulkOperation,
    Pick,
    Portion,
    Wish,
    after_cancel,
    after_portion,
    columns_of,
    deed_of,
    fresh,
    kept_of,
)
from ferryman.store.protocol import Retention
from ferryman.store.sqlite import chores, controls, people, reading
from ferryman.store.sqlite.auditing import note, note_over
from ferryman.store.sqlite.grouping import Grouping
from ferryman.store.sqlite.session import Session

_rows: Final = msgspec.json.Decoder(list[list[Any]])
_NEWEST: Final = "~"
"""Sorts after every id."""


class BulkOperations(Grouping):
    """Implements `Bulk`."""

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        """See `Bulk.add_operation`."""
        await self._write(lambda session: _add(session, operation, deed))

    async def operation(self, id: str) -> BulkOperation | None:
        """See `Bulk.operation`."""
        return await self._read(lambda session: _one(session, id))

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        """See `Bulk.operations`."""
        rows = await self._read(
            lambda session: session.document("operations", _rows, before=before or _NEWEST, limit=limit)
        )
        return [kept_of(row) for row in rows]

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        """See `Bulk.running_operations`."""
        rows = await self._read(lambda session: session.document("running_operations", _rows, limit=limit))
        return [kept_of(row) for row in rows]

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        """See `Bulk.advance`. Nobody else can write in between."""
        return await self._write(lambda session: _advance(session, operation, portion, now, self._retention))

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        """See `Bulk.cancel_operation`."""
        return await self._write(lambda session: _cancel(session, id, now, deed))


def _one(session: Session, id: str) -> BulkOperation | None:
    return next((kept_of(row) for row in session.document("one_operation", _rows, id=id)), None)


def _put(session: Session, operation: BulkOperation) -> None:
    session.insert("put_operations", [columns_of(operation)])


def _add(session: Session, operation: BulkOperation, deed: Deed | None) -> None:
    if _one(session, operation.id) is None:
        _put(session, operation)
        note(session, deed)


def _advance(
    session: Session, operation: BulkOperation, portion: Portion, now: int, retention: Retention
) -> Advanced | None:
    """Change the jobs, if the row stands where it stood."""
    kept = _one(session, operation.id)
    if kept is None or kept.status is not BulkStatus.RUNNING or kept.step != operation.step:
        return None
    versions = reading.versions(session, [pick.id for pick in portion.picks], now, retention)
    changed = _change(session, kept.wish, fresh(portion, versions), now, retention)
    after = after_portion(kept, portion, len(changed), now)
    _put(session, after)
    note_over(session, deed_of(kept, now), changed)
    return Advanced(after, changed)


def _change(session: Session, wish: Wish, picks: Sequence[Pick], now: int, keep: Retention) -> Sequence[str]:
    """Do to each job what is asked for, as is done to one alone. Gives the ids of those that were changed."""
    ids = [pick.id for pick in picks]
    match wish.action:
        case BulkAction.RETRY:
            return [pick.id for pick in picks if _retry(session, pick, now, keep)]
        case BulkAction.CANCEL:
            return [id for id in ids if people.cancel(session, id, now, keep).before not in TERMINAL]
        case BulkAction.DELETE:
            return [id for id in ids if chores.delete(session, id, now, keep, None).gone]
        case _:
            assert wish.placement is not None
            met = controls.place(session, ids, wish.placement, now, keep)
            return [id for id in ids if met[id] in MOVABLE]


def _retry(session: Session, pick: Pick, now: int, keep: Retention) -> bool:
    retried = people.retry(session, pick.id, now, keep, pick.run_at)
    return retried.before in RETRIABLE and retried.holder is None


def _cancel(session: Session, id: str, now: int, deed: Deed | None) -> BulkStatus | None:
    kept = _one(session, id)
    if kept is not None and kept.status is BulkStatus.RUNNING:
        _put(session, after_cancel(kept, now))
        note(session, deed)
    return None if kept is None else kept.status
