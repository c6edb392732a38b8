"""What a store brings along to be tested: how to open it, its clock, and how a node of it dies."""

from __future__ import annotations

from typing import Final, Protocol

from ferryman.domain.job import MICROS
from ferryman.store.protocol import Retention, Store
from ferryman.testing.clock import ManualClock

RETENTION: Final = Retention(completed=100 * MICROS, failed=200 * MICROS, cancelled=300 * MICROS)
"""The suite expects stores with this retention: 100, 200 and 300 seconds."""


class Harness(Protocol):
    """One fresh, empty store, from its birth to its end."""

    @property
    def clock(self) -> ManualClock:
        """The clock that the store was built with; it moves only by hand."""
        ...

    async def open(self) -> Store:
        """Build the store with `clock` and `RETENTION`, and open it. Called once."""
        ...

    async def another(self) -> Store:
        """A second, open connection to the same jobs; the same object where there can be only one."""
        ...

    async def kill(self, store: Store, node: int) -> None:
        """Let the process of a node that was registered through `store` die: it beats no more, and says nothing.

        Where a store can know that a process is gone, the next rescue is to find it at once; else this lets more
        than `LEASE` seconds pass on the clock between two looks of the observer, while everybody else beats.
        """
        ...

    async def close(self) -> None:
        """Close all connections and remove what was made."""
        ...


LEASE: Final = 10.0
"""The lease, in seconds, with which the suite rescues."""
