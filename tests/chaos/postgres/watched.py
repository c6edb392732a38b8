"""The production store on PostgreSQL, watched; each process has a machine of its own, as far as it knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar
from unittest import mock

from ferryman.store.postgres import PostgresStore, lines
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.steps import Steps
from ferryman.store.protocol import Clock, Promoted, Rescued, Retention
from tests.chaos.journal import Journal
from tests.chaos.postgres.sweeps import Sweeps
from tests.chaos.triggers import Triggers
from tests.chaos.watching import Watched

T = TypeVar("T")
LOCKS = "machines"
"""The folder of the lock files, one folder in it for each process."""


class WatchedLine(Line):
    """Where a process may be made to die with rows written and not committed."""

    def __init__(self, triggers: Triggers, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._triggers = triggers

    async def transact(self, steps: Steps[T], seconds: float | None = None) -> T:
        """See `Line.transact`."""
        return await super().transact(self._until_commit(steps), seconds)

    def _until_commit(self, steps: Steps[T]) -> Steps[T]:
        answer = yield from steps
        self._triggers.reach("before commit")
        return answer


class WatchedPostgresStore(Watched, PostgresStore):  # type: ignore[misc]
    """The one on PostgreSQL."""

    def __init__(self, *args: Any, sweeps: Sweeps, **parts: Any) -> None:
        super().__init__(*args, **parts)
        self._sweeps = sweeps

    async def promote(self, now: int, limit: int) -> Promoted:
        promoted: Promoted = await super().promote(now, limit)
        self._sweeps.note("promote")
        return promoted

    async def rescue(self, now: int, lease: float) -> Sequence[Rescued]:
        rescued = await super().rescue(now, lease)
        self._sweeps.note("rescue")
        return rescued


def watched_postgres(
    url: str, journal: Journal, triggers: Triggers, *, clock: Clock, retention: Retention, **options: Any
) -> WatchedPostgresStore:
    """The store of a URL, for the process of a journal."""
    # nobody sees the lock files of another process, so that beats alone tell who lives, as between machines
    locks = journal.folder / LOCKS / journal.name
    with mock.patch.object(lines, "Line", partial(WatchedLine, triggers)):
        return WatchedPostgresStore(
            url,
            journal=journal,
            triggers=triggers,
            sweeps=Sweeps(journal.folder, journal.name),
            clock=clock,
            retention=retention,
            locks=locks,
            **options,
        )
