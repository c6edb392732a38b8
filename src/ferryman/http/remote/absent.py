"""What an app finds in a client over a store, and not in one over HTTP."""

from __future__ import annotations

from typing import Any

from ferryman.client.request import JobType
from ferryman.domain.errors import TransactionImpossible


class NoTypes:
    """The types of a process that declares none."""

    types: frozenset[str] = frozenset()

    def get(self, type: str, /) -> JobType | None:
        """Nothing."""
        return None


class NoTransactions:
    """In place of a way into transactions: there is none over HTTP."""

    def enqueue(self, *_: Any) -> list[str]:
        """Refuse. Raises TransactionImpossible."""
        raise TransactionImpossible(
            "A job cannot become a part of your transaction.",
            why="The jobs of this app are behind HTTP, and not in the database of that transaction.",
            hint="Enqueue after the commit, or connect the app to the database.",
        )

    async def aenqueue(self, *asked: Any) -> list[str]:
        """As `enqueue`."""
        return self.enqueue(*asked)
