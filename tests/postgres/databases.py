"""A database for each test, copied from a template that is prepared once."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from tests.postgres import admin, binaries
from tests.postgres.cluster import Cluster

VARIABLE: Final = "FERRYMAN_TEST_DSN"
MEMORY: Final = Path("/dev/shm")
"""Where Linux keeps files in memory: a database is 300 files, and some disks are slow to make new ones."""
ROOM: Final = 2 << 30
"""So many bytes have to be free there. A container may have as little as 64 MB."""


class Databases:
    """Databases on one server, whoever runs it. Its verbs are for one thread at a time."""

    def __init__(self, server: str, prepare: Callable[[str], None] | None = None) -> None:
        """`server` is the URL of any database there; its user may create more. `prepare` is told the URL of the
        template, and leaves no connection to it open; without it the template is empty."""
        self._server = server
        self._connection: psycopg.Connection[Any] | None = None
        self._prepare = prepare
        # others may use that server, too
        self._prefix = f"ferryman_test_{secrets.token_hex(4)}_"
        self._template: str | None = None
        self._count = 0
        self._left: set[str] = set()

    def fresh(self) -> str:
        """The URL of a new database, as the template is."""
        if self._template is None and self._prepare is not None:
            url = self.empty()
            self._prepare(url)
            self._template = _name(url)
        return self._make(self._template)

    def empty(self) -> str:
        """The URL of a new database that was not prepared."""
        return self._make(None)

    def drop(self, url: str) -> None:
        """Remove one of these databases, with whoever is connected to it."""
        name = _name(url)
        if name not in self._left:
            raise ValueError(f"the database {name} was not made here")
        admin.drop(self._admin(), name)
        self._left.remove(name)

    def close(self) -> None:
        """Remove all that are left, the template too."""
        for name in list(self._left):
            self.drop(admin.with_database(self._server, name))
        self._template = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _admin(self) -> psycopg.Connection[Any]:
        """One connection for all: to connect takes longer than to drop a database."""
        if self._connection is None:
            self._connection = admin.connected(self._server)
        return self._connection

    def _make(self, template: str | None) -> str:
        self._count += 1
        name = f"{self._prefix}{self._count}"
        admin.create(self._admin(), name, template)
        self._left.add(name)
        return admin.with_database(self._server, name)


@contextlib.contextmanager
def lent(environ: Mapping[str, str], prepare: Callable[[str], None] | None = None) -> Iterator[Databases]:
    """Databases on the server that FERRYMAN_TEST_DSN names, else on one of our own that lives as long.

    Raises NoPostgres or ServerFailed.
    """
    with contextlib.ExitStack() as stack:
        server = environ.get(VARIABLE)
        if server is None:
            server = stack.enter_context(Cluster(new_folder(), binaries.find(environ))).url()
        yield stack.enter_context(contextlib.closing(Databases(server, prepare)))


def new_folder(memory: Path = MEMORY, room: int = ROOM) -> Path:
    """A new folder for a cluster that is not to last: in memory if it can be, else in the usual place."""
    return Path(tempfile.mkdtemp(prefix="ferryman-postgres-", dir=in_memory(memory, room)))


def in_memory(memory: Path = MEMORY, room: int = ROOM) -> Path | None:
    """Where files are kept in memory, if there is so much room and programs there may be run: some are copied."""
    usable = memory.is_dir() and os.access(memory, os.W_OK) and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    return memory if usable and shutil.disk_usage(memory).free >= room else None


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
