"""Jobs in somebody else's transaction on the store's database: they exist iff that commits.

    SAVEPOINT -> which server is that? -> the lanes, made elsewhere -> judge and insert -> RELEASE
                            whatever fails ----------------------------> back to the savepoint

A lane is never made here: it would be locked until the other commits, and with it everybody who needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from ferryman.domain.errors import StoreBusy, StoreError, TransactionImpossible
from ferryman.domain.job import NewJob
from ferryman.store.postgres import reading
from ferryman.store.postgres.acts import Acts, aperform, perform
from ferryman.store.postgres.home import Home, lanes_of
from ferryman.store.postgres.inserting import insert_judged, is_plain
from ferryman.store.postgres.lent import Lent
from ferryman.store.postgres.steps import AlreadyThere, Ask, Steps, ask
from ferryman.store.protocol import Receipt
from ferryman.store.transactions import Entry

LOCK_TIMEOUT: Final = "2s"
"""For so long an enqueue waits for a key that another transaction is giving to a job of its own."""


class PostgresJoins:
    """Joins transactions on one database."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def insert(self, connection: Any, entry: Entry) -> list[Receipt]:
        """See `Joins.insert`."""
        lent = self._home.lend(connection)
        if lent.is_async:
            raise TransactionImpossible(
                f"A {type(connection).__name__} of {type(connection).__module__.partition('.')[0]} is awaited, "
                "and this call blocks.",
                hint="Write `await` and `.aenqueue(tx=...)` instead.",
            )
        return perform(self._insert(lent, entry, on_loop=False))

    async def ainsert(self, connection: Any, entry: Entry) -> list[Receipt]:
        """See `Joins.ainsert`."""
        return await aperform(self._insert(self._home.lend(connection), entry, on_loop=True))

    def _insert(self, lent: Lent, entry: Entry, *, on_loop: bool) -> Acts[list[Receipt]]:
        yield from lent.do(ask("savepoint"))
        try:
            receipts = yield from self._within(lent, entry, on_loop=on_loop)
        except BaseException as error:
            with suppress(StoreError):  # the connection is lost, and all of it with it
                yield from lent.do(ask("to_savepoint"))
                yield from lent.do(ask("release"))
            if isinstance(error, AlreadyThere):
                raise _meanwhile(self._home.target.place) from error
            raise
        yield from lent.do(ask("release"))
        return receipts

    def _within(self, lent: Lent, entry: Entry, *, on_loop: bool) -> Acts[list[Receipt]]:
        yield from self._home.recognise(lent, on_loop=on_loop)
        told = (yield from lent.do(reading.known_types())) if entry.asks else None
        jobs = entry.admit(told)
        yield from self._home.know(lanes_of(jobs), on_loop=on_loop)
        return (yield from lent.do(self._judged(jobs, entry)))

    def _judged(self, jobs: Sequence[NewJob], entry: Entry) -> Steps[list[Receipt]]:
        if is_plain(jobs, entry.max_pending):
            return (yield from insert_judged(self._home.lanes, jobs, entry.now, entry.max_pending))
        ((before, _),) = yield Ask("lock_timeout", (LOCK_TIMEOUT,))
        receipts = yield from insert_judged(self._home.lanes, jobs, entry.now, entry.max_pending)
        yield Ask("lock_timeout", (before,))
        return receipts


def _meanwhile(place: str) -> StoreBusy:
    return StoreBusy(
        f"Another transaction on PostgreSQL at {place} has enqueued a job with this id at the same time.",
        why="Nothing was written.",
        hint="Try again: then it is known that the job is there.",
    )
