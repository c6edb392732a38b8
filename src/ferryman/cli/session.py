"""Opens the store that the settings name, for commands that read or change jobs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import msgspec

from ferryman.cli.options import given
from ferryman.cli.table import plain
from ferryman.cli.target import load_target
from ferryman.cli.world import World
from ferryman.client import Client
from ferryman.connecting import client_of
from ferryman.domain.audit import ACTOR_MOST
from ferryman.domain.errors import DatabaseMissing
from ferryman.domain.job import MICROS
from ferryman.engine.registry import Registry
from ferryman.settings import NOTHING, Settings, load
from ferryman.settings.kinds import Retention, hide_password
from ferryman.store.factory import MEMORY, sqlite_path

T = TypeVar("T")
Work = Callable[[Client], Coroutine[Any, Any, T]]


class CommandClock:
    """Implements the store's `Clock` over what a command knows of the time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        return round(self._now() * MICROS)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()


class Session(msgspec.Struct, frozen=True):
    """What a command works with."""

    settings: Settings
    registry: Registry
    """The types that --target declares; empty without."""
    clock: CommandClock
    actor: str
    """Whose deed it is where the command changes something."""

    def run(self, work: Work[T], *, create: bool = False) -> T:
        """Do some work with an open client, and close it.

        Args:
            work: what to do.
            create: whether a database that is not there is made.

        Raises:
            DatabaseMissing: there is none, and it is not to be made.
            StoreError: it cannot be opened.
        """
        refuse_memory(self.settings)
        path = sqlite_path(self.settings.database_url)
        if path is not None and not create and not path.exists():
            raise DatabaseMissing(
                f"There is no database {path}.",
                why=f"DATABASE_URL is {hide_password(self.settings.database_url)}; nothing was made.",
                hint="Go to its folder, or name it: --database-url, or --target for an app that names it in its code.",
            )
        return asyncio.run(self._work(work))

    async def _work(self, work: Work[T]) -> T:
        client = client_of(self.settings, self.registry, self.clock, actor=self.actor)
        try:
            await client.open()
            return await work(client)
        finally:
            await client.close()


def session(
    world: World, target: str | None, flags: Mapping[str, object], retention: Mapping[str, int] = NOTHING
) -> Session:
    """Read the settings for a command; `retention` is, by status, what it was told instead of theirs.

    Raises:
        SettingsError: a setting or the target is wrong.
    """
    app = None if target is None else load_target(target, world.folder)
    settings = load(given(flags), world.environ, world.folder, NOTHING if app is None else app.overrides).settings
    kept: Retention = msgspec.structs.replace(settings.retention, **retention)
    registry = Registry() if app is None else app.registry
    actor = f"cli:{plain(world.who())}"[:ACTOR_MOST]
    return Session(msgspec.structs.replace(settings, retention=kept), registry, CommandClock(world.now), actor)


def refuse_memory(settings: Settings) -> None:
    """Raises DatabaseMissing: the jobs are in the memory of a process."""
    if settings.database_url == MEMORY:
        raise DatabaseMissing(
            "Jobs in memory:// cannot be reached from outside.",
            why="They live in the process that made them, and end with it.",
            hint="Give DATABASE_URL a file, such as sqlite:///ferryman.db.",
        )
