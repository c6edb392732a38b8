"""What is measured of a job queue, ours or a peer's: five verbs, and whether work is left.

Each system is driven as its documentation says, on uvloop; what it keeps of an ended job by default it keeps. A handler
is an `async def` that takes a text of 180 characters, notes its start and returns nothing.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

CHUNK = 1000
"""How many jobs go into one call of `enqueue_many` where the library does not cut them itself."""


class Side(Protocol):
    """One system in one process, on one database."""

    async def prepare(self) -> None:
        """Make its tables in an empty database."""

    async def open(self) -> None:
        """Connect, so that it can enqueue."""

    async def close(self) -> None:
        """Let go of all connections."""

    async def enqueue(self) -> None:
        """Hand in one job, by a call of its own; it is durable when this returns. Called by many at once."""

    async def enqueue_many(self, count: int) -> None:
        """Hand in many jobs by the call that is made for it."""

    def working(self) -> AbstractAsyncContextManager[None]:
        """Run jobs in this process as long as the block lasts."""
        ...

    async def left(self) -> bool:
        """Whether some job has not ended yet, as the database knows it."""
        ...
