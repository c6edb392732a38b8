"""The schema of a database, whatever kind that is: how it stands, and how it is brought up to date."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Protocol

import click

from ferryman.cli.session import refuse_memory
from ferryman.cli.world import World
from ferryman.settings import Settings
from ferryman.store.factory import postgres, sqlite_path
from ferryman.store.sqlite.database import check_version, inspect, newest_schema, open_migrated, upgrade_script


class Upgrade(Protocol):
    """What `ferryman migrate` does with a database. Each verb raises StoreError."""

    @property
    def place(self) -> str:
        """Which database it is, for people."""
        ...

    @property
    def name(self) -> str:
        """The same for programs."""
        ...

    @property
    def newest(self) -> int:
        """The number of the schema that this version works with."""
        ...

    def before(self) -> int:
        """The number of the schema that the database has; 0 where there is none."""
        ...

    def script(self) -> str:
        """What `apply` would run; empty where nothing is missing."""
        ...

    def apply(self) -> None:
        """Bring it up to date."""
        ...


def upgrade_of(world: World, settings: Settings, role: str | None = None) -> Upgrade:
    """The schema of the database that the settings name; `role` is who is to be granted what a node needs.

    Raises:
        DatabaseMissing: the jobs are in the memory of a process.
        SqliteTooOld, DriverMissing: this Python lacks what it needs.
    """
    refuse_memory(settings)
    path = sqlite_path(settings.database_url)
    if path is None:
        return ServerUpgrade(settings.database_url, role)
    if role is not None:
        raise click.UsageError("--role is for PostgreSQL: SQLite knows no roles.")
    check_version(world.sqlite)
    return FileUpgrade(path)


class FileUpgrade:
    """Of a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)
        self.name = str(path.resolve())

    @property
    def newest(self) -> int:
        """See `Upgrade`."""
        return newest_schema()

    def before(self) -> int:
        """See `Upgrade`. Makes no file."""
        return inspect(self._path)

    def script(self) -> str:
        """See `Upgrade`."""
        return upgrade_script(self.before())

    def apply(self) -> None:
        """See `Upgrade`."""
        open_migrated(self._path).close()


class ServerUpgrade:
    """Of a PostgreSQL database."""

    def __init__(self, url: str, role: str | None) -> None:
        package = postgres()
        target = package.Target.of(url)
        self._schema: Any = package.Schema(target)
        self._role = role
        self.place = f"PostgreSQL at {target.place}"
        self.name = self.place

    @property
    def newest(self) -> int:
        """See `Upgrade`."""
        newest: int = self._schema.newest
        return newest

    def before(self) -> int:
        """See `Upgrade`."""
        number: int = asyncio.run(self._schema.applied())
        return number

    def script(self) -> str:
        """See `Upgrade`."""
        text: str = asyncio.run(self._schema.script(self._role))
        return text

    def apply(self) -> None:
        """See `Upgrade`."""
        asyncio.run(self._schema.migrate(self._role))
