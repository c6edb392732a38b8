"""The production store, which notes what its node asks and is answered, and is where a process is made to die."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from ferryman.domain.ids import IdMinter
from ferryman.store.factory import is_postgres, sqlite_path
from ferryman.store.forks import AroundForks
from ferryman.store.protocol import Clock, Retention, Runner, Store
from ferryman.store.sqlite import SqliteStore
from ferryman.store.sqlite.session import Session
from tests.chaos.journal import Journal
from tests.chaos.postgres.watched import watched_postgres
from tests.chaos.triggers import Triggers
from tests.chaos.watching import Watched

Result = TypeVar("Result")


class WatchedStore(Watched, SqliteStore):
    """The one on SQLite."""

    async def _write(self, request: Callable[[Session], Result]) -> Result:
        def step(session: Session) -> Result:
            assert isinstance(session.connection, sqlite3.Connection)
            before = session.connection.total_changes
            answer = request(session)
            if session.connection.total_changes != before:
                self._triggers.reach("before commit")
            return answer

        return await super()._write(step)


class MakeStore:
    """Stands in for `ferryman.store.factory.make_store`."""

    def __init__(self, journal: Journal, triggers: Triggers) -> None:
        self._journal = journal
        self._triggers = triggers

    def __call__(
        self,
        url: str,
        *,
        clock: Clock,
        ids: IdMinter,
        retention: Retention,
        runner: Callable[[str], Runner],
        around_forks: AroundForks | None = None,
        lease: float = 10.0,
    ) -> Store:
        """The store of a URL."""
        journal, triggers = self._journal, self._triggers
        if is_postgres(url):
            return watched_postgres(
                url, journal, triggers, clock=clock, retention=retention, around_forks=around_forks, lease=lease
            )
        path = sqlite_path(url)
        assert path is not None
        return WatchedStore(
            path,
            journal=journal,
            triggers=triggers,
            clock=clock,
            ids=ids,
            retention=retention,
            runner=runner,
            around_forks=around_forks,
        )
