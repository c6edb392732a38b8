"""The operations of a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ferryman.domain.audit import Deed
from ferryman.domain.bulk import BulkAction, BulkStatus
from ferryman.domain.errors import PreconditionFailed
from ferryman.domain.state import INITIAL, MOVABLE, RETRIABLE, TERMINAL
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
from ferryman.store.postgres import controls, lanes, people
from ferryman.store.postgres.auditing import note, note_over
from ferryman.store.postgres.grouping import Grouping
from ferryman.store.postgres.inserting import unique_scope
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.reading import versions
from ferryman.store.postgres.steps import Ask, Row, Steps
from ferryman.store.protocol import Retention

_NEWEST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""Sorts after every id."""


class Done(NamedTuple):
    """What was done to the jobs of a portion: the ids of those that were changed, and the keys of their gates."""

    changed: Sequence[str]
    keys: Sequence[str]


class BulkOperations(Grouping):
    """Implements `Bulk`."""

    async def add_operation(self, operation: BulkOperation, *, deed: Deed | None = None) -> None:
        """See `Bulk.add_operation`."""
        await self._people.transact(_add(operation, deed))

    async def operation(self, id: str) -> BulkOperation | None:
        """See `Bulk.operation`."""
        return await self._people.do(_one("one_operation", id))

    async def operations(self, before: str | None, limit: int) -> Sequence[BulkOperation]:
        """See `Bulk.operations`."""
        return await self._people.do(_all("operations", before or _NEWEST, limit))

    async def running_operations(self, limit: int) -> Sequence[BulkOperation]:
        """See `Bulk.running_operations`."""
        return await self._chores.do(_all("running_operations", limit))

    async def advance(self, operation: BulkOperation, portion: Portion, now: int) -> Advanced | None:
        """See `Bulk.advance`. New lanes are made before, as for `place`; gates are looked at after the commit."""
        done = await self._advanced(operation, portion, now)
        if done is None:
            return None
        advanced, keys = done
        if advanced.operation.wish.action is BulkAction.RETRY:
            await self._gates.let_in(keys, now, over=self._people)
        else:
            await self._gates.made_room(keys, now, over=self._people)
        return advanced

    async def _advanced(
        self, operation: BulkOperation, portion: Portion, now: int
    ) -> tuple[Advanced, Sequence[str]] | None:
        await self._people.do(lanes.read(self._lanes))
        while True:
            try:
                return await self._people.transact(_advance(self._lanes, operation, portion, now, self._retention))
            except controls.LanesMissing as error:
                await self._people.do(lanes.make(self._lanes, error.wanted))

    async def cancel_operation(self, id: str, now: int, *, deed: Deed | None = None) -> BulkStatus | None:
        """See `Bulk.cancel_operation`."""
        return await self._people.transact(_cancel(id, now, deed))


def _all(statement: str, *parameters: object) -> Steps[list[BulkOperation]]:
    rows: Sequence[Row] = yield Ask(statement, parameters)
    return [kept_of(row) for row in rows]


def _one(statement: str, *parameters: object) -> Steps[BulkOperation | None]:
    rows = yield from _all(statement, *parameters)
    return next(iter(rows), None)


def _add(operation: BulkOperation, deed: Deed | None) -> Steps[None]:
    if (yield Ask("add_operation", columns_of(operation))):
        yield from note(deed)


def _put(operation: BulkOperation) -> Ask:
    id, _, *rest = columns_of(operation)
    return Ask("put_operation", (id, *rest))


def _advance(
    known: Lanes, operation: BulkOperation, portion: Portion, now: int, retention: Retention
) -> Steps[tuple[Advanced, Sequence[str]] | None]:
    """Change the jobs, if the row stands where it stood and nobody else is at it. Gives also the keys of their gates.

    The row is locked first, so that whoever stops the operation waits for the portion. Raises LanesMissing.
    """
    kept = yield from _one("take_operation", operation.id, operation.step)
    if kept is None:
        return None
    done = yield from _change(known, kept.wish, portion, now, retention)
    after = after_portion(kept, portion, len(done.changed), now)
    yield _put(after)
    yield from note_over(deed_of(kept, now), done.changed)
    return Advanced(after, done.changed), done.keys


def _change(known: Lanes, wish: Wish, portion: Portion, now: int, keep: Retention) -> Steps[Done]:
    """Do to each job what is asked for, as is done to one alone."""
    ids = [pick.id for pick in portion.picks]
    if wish.action in (BulkAction.RETRY, BulkAction.DELETE):
        yield Ask("lock_ended", (ids,))
    picks = fresh(portion, (yield from versions(ids, now, keep)))
    match wish.action:
        case BulkAction.RETRY:
            return (yield from _retry(known, picks, now, keep))
        case BulkAction.CANCEL:
            return (yield from _cancel_jobs(known, picks, now, keep))
        case BulkAction.DELETE:
            return (yield from _delete(picks, now, keep))
        case _:
            assert wish.placement is not None
            met = yield from controls.place(known, [pick.id for pick in picks], wish.placement, now, keep)
            return Done([id for id, status in met.items() if status in MOVABLE], ())


def _retry(known: Lanes, picks: Sequence[Pick], now: int, keep: Retention) -> Steps[Done]:
    """Send them back. The locks of all their unique keys are taken first, in the order in which all take them."""
    rows = yield Ask("unique_keys", ([pick.id for pick in picks],))
    if rows:
        yield Ask("lock_keys", ([unique_scope(known.by_number[row[0]].type) for row in rows], [row[1] for row in rows]))
    changed: list[str] = []
    keys: list[str] = []
    for pick in picks:
        result, of_gates = yield from people.retry(known, pick.id, now, keep, pick.run_at)
        if result.before in RETRIABLE and result.holder is None:
            changed.append(pick.id)
            keys += of_gates
    return Done(changed, keys)


def _cancel_jobs(known: Lanes, picks: Sequence[Pick], now: int, keep: Retention) -> Steps[Done]:
    """Cancel what waits, all at once; then ask for it where it runs, one by one.

    A run that ends while we look has another version by then: what was done to that job is taken back.
    """
    waiting = [pick.id for pick in picks if pick.version.status in INITIAL]
    ended, keys = yield from controls.cancel_those_that_wait(known, waiting, now)
    changed = list(ended)
    for pick in picks:
        if pick.version.status not in INITIAL:
            yield Ask("savepoint")
            try:
                result, _ = yield from people.cancel(known, pick.id, now, keep, None, pick.version)
            except PreconditionFailed:
                yield Ask("to_savepoint")
            else:
                changed += [pick.id] if result.before not in TERMINAL else []
    return Done(changed, keys)


def _delete(picks: Sequence[Pick], now: int, keep: Retention) -> Steps[Done]:
    changed: list[str] = []
    keys: list[str] = []
    for pick in picks:
        deleted, of_gates = yield from controls.delete(pick.id, now, keep, None, None)
        if deleted.gone:
            changed.append(pick.id)
            keys += of_gates
    return Done(changed, keys)


def _cancel(id: str, now: int, deed: Deed | None) -> Steps[BulkStatus | None]:
    kept = yield from _one("lock_operation", id)
    if kept is not None and kept.status is BulkStatus.RUNNING:
        yield _put(after_cancel(kept, now))
        yield from note(deed)
    return None if kept is None else kept.status
