"""What a table design has to do to be churned: ours and the classic one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol, TypeVar

J = TypeVar("J")


class Fate(Enum):
    """How a run ends, and the seconds until the job is due again."""

    DONE = 0.0
    RETRIED = 1.0
    SNOOZED = 2.0


class Contender(Protocol[J]):
    """One node's view of the jobs; its verbs may be called side by side."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect."""

    async def insert(self, count: int) -> None:
        """Hand jobs in."""

    async def claim(self, limit: int) -> Sequence[J]:
        """Take pending jobs."""
        ...

    async def finish(self, runs: Sequence[tuple[J, Fate]]) -> int:
        """Write what runs ended in, in one commit. Gives how many jobs ended for good."""
        ...

    async def promote(self) -> None:
        """Make due jobs pending."""

    async def beat(self) -> None:
        """Say that the node lives."""
