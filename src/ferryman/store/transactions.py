"""The ports through which others write in the store's own database: handlers beside their jobs, callers beside theirs.

A `Store` need not have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ferryman.domain.bounds import Bound
from ferryman.domain.job import ClaimedJob, NewJob
from ferryman.domain.outcome import Finish
from ferryman.store.protocol import Declaration, Receipt


class OpenTransaction(Protocol):
    """A handler's transaction, begun. Every call blocks; all may come from any thread."""

    @property
    def connection(self) -> Any:
        """What the handler writes with; it refuses to commit, and everything once the transaction has ended."""
        ...

    def finish(self, finish: Finish, now: int) -> bool:
        """Write the outcome as `Store.finish` would, and commit. False: it is fenced, nothing was written.

        Raises:
            TransactionTimedOut: it expired before.
            StoreError: the commit failed; its fate may be unknown.
        """
        ...

    def rollback(self) -> None:
        """Undo everything. Idempotent, also after a commit, which it does not touch."""

    def expire(self) -> None:
        """Undo everything while the handler is still at it, whose next statement fails. Nothing after the end."""


class Transactions(Protocol):
    """Begins transactions for the handlers of one process, one at a time."""

    def begin(self, node: int, job: ClaimedJob) -> OpenTransaction:
        """Begin to write, for a run whose claim `node` holds.

        Raises:
            ClaimLost: it does not hold it any more.
            StoreBusy: somebody else has kept on writing for too long.
        """
        ...


class HeldTransaction(Protocol):
    """A handler's transaction beside others, begun. Its verbs are awaited on the node's loop and do not block it."""

    @property
    def connection(self) -> Any:
        """What the handler writes with: a connection of a driver's or of SQLAlchemy's, or a session."""
        ...

    async def finish(self, finish: Finish, now: int) -> bool:
        """Write the outcome as `Store.finish` would, and commit. False: it is fenced, nothing was written.

        Raises:
            TransactionImpossible: the handler has ended the transaction itself; the outcome is not written.
            CommitUnknown: the connection was lost at the commit, and the store cannot be asked what became of it.
            Exception: it was rolled back.
        """
        ...

    async def rollback(self) -> None:
        """Undo everything; what fails is as good, for then the server does it. Idempotent, also after a commit."""

    def break_off(self) -> None:
        """Undo everything while the handler is still at it, by cutting its connection. Nothing after the end."""


class ManyTransactions(Protocol):
    """Begins transactions for the handlers of one process, as many at a time as there are connections for them."""

    async def begin(self, node: int, job: ClaimedJob, using: Any, *, blocking: bool) -> HeldTransaction:
        """Begin to write, for a run of `node`; waits for a connection.

        Args:
            using: a connection, pool, engine or session of the handler's own; None takes one of the store's.
            blocking: whether the handler is a `def`, whose connection is to be one that blocks.

        Raises:
            TransactionImpossible: `using` cannot be used.
            DriverMissing: there is no driver for a handler of this kind.
            StoreError: the store cannot be reached.
        """
        ...


class Entry(NamedTuple):
    """What somebody hands in through a connection of their own."""

    asks: bool
    """Whether `admit` is to be told which types the store knows, as `Store.known_types` says it."""
    admit: Callable[[Mapping[str, Declaration] | None], Sequence[NewJob]]
    """Makes the jobs. Raises EnqueueError: then nothing is handed in."""
    now: int
    max_pending: Bound
    """As for `Store.insert`."""


class Joins(Protocol):
    """Lets jobs be handed in through a connection of somebody's own."""

    def insert(self, connection: Any, entry: Entry) -> list[Receipt]:
        """As `Store.insert`, in the transaction that is open on a connection; blocks, in the caller's thread.

        The jobs are durable, and others see them, iff the transaction commits. What fails leaves nothing of ours in it.

        Raises:
            TransactionImpossible: it is not one of this store, not safe enough, or has no transaction open.
            StoreError: the store failed.
        """
        ...

    async def ainsert(self, connection: Any, entry: Entry) -> list[Receipt]:
        """As `insert`, with a connection that is awaited; one that blocks does so here."""
        ...
