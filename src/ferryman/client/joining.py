"""`enqueue(tx=...)`: jobs in a transaction of the caller's own, of which they are a part.

What SQLAlchemy and Django hand out is known by its class, if that was imported by anybody; it is never imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ferryman.client.admission import Admission
from ferryman.client.making import refusal
from ferryman.client.request import JobRequest
from ferryman.domain.bounds import Bound
from ferryman.domain.errors import TransactionImpossible
from ferryman.domain.job import NewJob
from ferryman.store.loaded import is_a, loaded
from ferryman.store.protocol import Clock, Declaration, Receipt
from ferryman.store.transactions import Entry, Joins

_TO_WAKE: Final = "ferryman.wake"
"""In the `info` of a SQLAlchemy session: whom to tell after its next commit."""

_SCOPED: Final = (("sqlalchemy.orm", "scoped_session"), ("sqlalchemy.ext.asyncio", "async_scoped_session"))
_AWAITED: Final = (("sqlalchemy.ext.asyncio", "AsyncSession"), ("sqlalchemy.ext.asyncio", "AsyncConnection"))
_KNOWN: Final = (
    *_AWAITED,
    ("sqlalchemy.engine", "Connection"),
    ("django.db.backends.base.base", "BaseDatabaseWrapper"),
)


class Joining:
    """Hands jobs in through the connections of others, in the thread, or on the loop, that has them."""

    def __init__(self, joins: Joins | None, admission: Admission, clock: Clock, max_pending: Bound) -> None:
        """`joins` is the store's; None where it takes no part in anybody's transactions."""
        self._joins = joins
        self._admission = admission
        self._clock = clock
        self._max_pending = max_pending

    def enqueue(self, tx: Any, requests: Sequence[JobRequest], wake: Callable[[], None]) -> list[str]:
        """Hand jobs in, as a part of the transaction `tx`; gives the ids of the jobs that stand for the requests.

        `wake` is called after the commit, where that can be known.

        Raises:
            EnqueueError: one was refused. Those of this call that were not are part of the transaction.
            TransactionImpossible: `tx` is not an open transaction on the store, or not safe enough.
            StoreError: the store failed; nothing of this call is part of the transaction.
        """
        tx = _unwrapped(tx)
        if any(is_a(tx, *kind) for kind in _AWAITED):
            raise TransactionImpossible(
                f"A {type(tx).__name__} of SQLAlchemy is awaited, and this call blocks.",
                hint="Write `await` and `.aenqueue(tx=...)` instead.",
            )
        receipts = self._required().insert(connection_of(tx), self._entry(requests))
        _wake_after_commit(tx, wake)
        return _ids(requests, receipts)

    async def aenqueue(self, tx: Any, requests: Sequence[JobRequest], wake: Callable[[], None]) -> list[str]:
        """As `enqueue`, for a `tx` that is awaited; one that blocks does so here."""
        tx = _unwrapped(tx)
        receipts = await self._required().ainsert(await _aconnection_of(tx), self._entry(requests))
        _wake_after_commit(tx, wake)
        return _ids(requests, receipts)

    def _required(self) -> Joins:
        if self._joins is None:
            raise TransactionImpossible(
                "This store takes no part in other transactions.",
                hint="SQLite and PostgreSQL do, such as DATABASE_URL=sqlite:///jobs.db",
            )
        return self._joins

    def _entry(self, requests: Sequence[JobRequest]) -> Entry:
        asks = self._admission.lacks(requests)
        return Entry(asks, partial(self._admit, requests), self._clock.now(), self._max_pending)

    def _admit(self, requests: Sequence[JobRequest], told: Mapping[str, Declaration] | None) -> list[NewJob]:
        if told is not None:
            self._admission.known.learn(told)
        return [self._admission.admit(each) for each in requests]


def _ids(requests: Sequence[JobRequest], receipts: Sequence[Receipt]) -> list[str]:
    """The ids of the jobs that stand for the requests. Raises the first refusal."""
    for request, receipt in zip(requests, receipts, strict=True):
        error = refusal(request, receipt)
        if error is not None:
            raise error
    return [receipt.id for receipt in receipts]


# -- what the caller holds -------------------------------------------------------------------------


def _unwrapped(tx: Any) -> Any:
    """What the caller means: this thread's session, Django's own connection, what `ctx.transaction()` writes with."""
    if any(is_a(tx, *kind) for kind in _SCOPED):
        return tx()
    if is_a(tx, "django.utils.connection", "ConnectionProxy"):
        return loaded("django.db", "connections")[tx.alias]
    if any(is_a(tx, *kind) for kind in _KNOWN):
        return tx
    inner = getattr(tx, "connection", None)
    return tx if inner is None or inner is tx or callable(inner) else _unwrapped(inner)


def connection_of(tx: Any) -> Any:
    """The driver's connection behind what the caller holds; anything unknown is given back as it is."""
    if is_a(tx, "sqlalchemy.orm", "Session"):
        return connection_of(tx.connection())
    if is_a(tx, "sqlalchemy.engine", "Connection"):
        if not tx.in_transaction():
            tx.begin()  # as it would by itself before its first statement
        return tx.connection.driver_connection
    if is_a(tx, "django.db.backends.base.base", "BaseDatabaseWrapper"):
        tx.ensure_connection()
        return tx.connection
    return tx


async def _aconnection_of(tx: Any) -> Any:
    """As `connection_of`, for what is awaited, too."""
    if is_a(tx, "sqlalchemy.ext.asyncio", "AsyncSession"):
        return await _aconnection_of(await tx.connection())
    if is_a(tx, "sqlalchemy.ext.asyncio", "AsyncConnection"):
        if not tx.in_transaction():
            await tx.begin()
        await tx.exec_driver_sql("SELECT 1")  # over asyncpg it begins with its first statement only
        return (await tx.get_raw_connection()).driver_connection
    return connection_of(tx)


def _wake_after_commit(tx: Any, wake: Callable[[], None]) -> None:
    """Have a session of SQLAlchemy's, or Django, tell of the commit. Other transactions have no way to do so."""
    if is_a(tx, "django.db.backends.base.base", "BaseDatabaseWrapper"):
        tx.on_commit(wake, robust=True)
        return
    session = tx.sync_session if is_a(tx, "sqlalchemy.ext.asyncio", "AsyncSession") else tx
    if not is_a(session, "sqlalchemy.orm", "Session"):
        return
    if _TO_WAKE not in session.info:
        sys.modules["sqlalchemy"].event.listen(session, "after_commit", _committed)
    session.info.setdefault(_TO_WAKE, set()).add(wake)


def _committed(session: Any) -> None:
    """A session has committed, or released a savepoint, which is no commit yet."""
    to_wake = session.info[_TO_WAKE]
    if not session.in_nested_transaction():
        for wake in to_wake:
            wake()
        to_wake.clear()
