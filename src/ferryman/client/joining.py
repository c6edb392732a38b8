"""`enqueue(tx=...)`: jobs in a transaction of the caller's own, of which they are a part.

A SQLAlchemy session or connection is known by its class, if that was imported by anybody; it is never imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from ferryman.client.admission import Admission
from ferryman.client.making import refusal
from ferryman.client.request import JobRequest
from ferryman.domain.errors import TransactionImpossible
from ferryman.store.protocol import Clock
from ferryman.store.transactions import Joins

_TO_WAKE: Final = "ferryman.wake"
"""In the `info` of a SQLAlchemy session: whom to tell after its next commit."""


class Joining:
    """Hands jobs in through the connections of others, in the thread that has them."""

    def __init__(self, joins: Joins | None, admission: Admission, clock: Clock, max_pending: int) -> None:
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
        if self._joins is None:
            raise TransactionImpossible(
                "This store takes no part in other transactions.", hint="SQLite does: DATABASE_URL=sqlite:///jobs.db"
            )
        scoped = _sqlalchemy("sqlalchemy.orm", "scoped_session")
        if scoped is not None and isinstance(tx, scoped):
            tx = tx()  # the session of this thread
        with self._joins.join(connection_of(tx)) as joined:
            news = [self._admission.admit(each, joined.known_types) for each in requests]
            receipts = joined.insert(news, self._clock.now(), self._max_pending)
        _wake_after_commit(tx, wake)
        for request, receipt in zip(requests, receipts, strict=True):
            error = refusal(request, receipt)
            if error is not None:
                raise error
        return [receipt.id for receipt in receipts]


def connection_of(tx: Any) -> Any:
    """The driver's connection behind what the caller holds; anything unknown is given back as it is."""
    session, connection = _sqlalchemy("sqlalchemy.orm", "Session"), _sqlalchemy("sqlalchemy.engine", "Connection")
    if session is not None and isinstance(tx, session):
        return connection_of(tx.connection())
    if connection is not None and isinstance(tx, connection):
        if not tx.in_transaction():
            tx.begin()  # as it would by itself before its first statement
        return tx.connection.driver_connection
    inner = getattr(tx, "connection", None)  # what `ctx.transaction()` gives
    return tx if inner is None or callable(inner) else inner


def _wake_after_commit(tx: Any, wake: Callable[[], None]) -> None:
    """Have a SQLAlchemy session tell of its commit. Other transactions have no way to do so."""
    session = _sqlalchemy("sqlalchemy.orm", "Session")
    if session is None or not isinstance(tx, session):
        return
    if _TO_WAKE not in tx.info:
        sys.modules["sqlalchemy"].event.listen(tx, "after_commit", _committed)
    tx.info.setdefault(_TO_WAKE, set()).add(wake)


def _committed(session: Any) -> None:
    """A session has committed, or released a savepoint, which is no commit yet."""
    to_wake = session.info[_TO_WAKE]
    if not session.in_nested_transaction():
        for wake in to_wake:
            wake()
        to_wake.clear()


def _sqlalchemy(module: str, name: str) -> Any:
    """A class of SQLAlchemy's, if that is in use."""
    return getattr(sys.modules.get(module), name, None)
