"""The ports through which others write in the store's own file: handlers beside their jobs, callers beside theirs.

A `Store` need not have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

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
    """Begins transactions for the handlers of one process."""

    def begin(self, node: int, job: ClaimedJob) -> OpenTransaction:
        """Begin to write, for a run whose claim `node` holds.

        Raises:
            ClaimLost: it does not hold it any more.
            StoreBusy: somebody else has kept on writing for too long.
        """
        ...


class Joined(Protocol):
    """Somebody's own transaction, as far as we write in it."""

    def known_types(self) -> Mapping[str, Declaration]:
        """As `Store.known_types`."""
        ...

    def insert(self, jobs: Sequence[NewJob], now: int, max_pending: int) -> list[Receipt]:
        """As `Store.insert`; the jobs are durable, and others see them, iff the transaction commits."""
        ...


class Joins(Protocol):
    """Lets jobs be handed in through a connection of somebody's own. Blocking, in the caller's thread."""

    def join(self, connection: Any) -> AbstractContextManager[Joined]:
        """Write in the transaction that is open on a connection; what fails leaves nothing of ours in it.

        Raises:
            TransactionImpossible: it is not one of this store, not safe enough, or has no transaction open.
            StoreError: the store failed.
        """
        ...
