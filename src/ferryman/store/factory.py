"""From a database URL to a store."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from ferryman.domain.errors import BadSetting, DriverMissing
from ferryman.domain.ids import IdMinter
from ferryman.store.bell import Bell, Silent
from ferryman.store.forks import AroundForks
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Clock, Retention, Runner, Store
from ferryman.store.sqlite import Doorbell, SqliteStore, nodes_folder
from ferryman.store.transactions import Joins, ManyTransactions, Transactions

SQLITE = "sqlite:///"
MEMORY = "memory://"
POSTGRES: Final = ("postgresql://", "postgres://")
SERVER: Final = ("http://", "https://")
"""Not a store: an app enqueues through what answers there."""


def sqlite_path(url: str) -> Path | None:
    """The file that a sqlite URL names: three slashes are relative, four are absolute; None for other URLs."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def make_store(
    url: str,
    *,
    clock: Clock,
    ids: IdMinter,
    retention: Retention,
    runner: Callable[[str], Runner],
    around_forks: AroundForks | None = None,
    lease: float = 10.0,
) -> Store:
    """Build the store that a DATABASE_URL names; nothing is opened yet.

    Args:
        url: `sqlite:///relative`, `sqlite:////absolute`, `memory://` or `postgresql://user@host/database`.
        clock: the store's two times.
        ids: mints the numbers that the store needs.
        retention: how long ended jobs are kept.
        runner: makes a named runner for blocking steps.
        around_forks: has forks wait for the store, where somebody else does that for all parts of an app.
        lease: how long a node of this process may be silent and keep its claims, in seconds.

    Raises:
        BadSetting: no store has such a URL.
    """
    path = sqlite_path(url)
    if is_postgres(url):
        make = partial(postgres().PostgresStore, locks=locks_folder(), lease=lease)
        store: Store = make(url, clock=clock, retention=retention, around_forks=around_forks)
        return store
    if path is not None and path.name:
        return SqliteStore(path, clock=clock, ids=ids, retention=retention, runner=runner, around_forks=around_forks)
    if url == MEMORY:
        return MemoryStore(clock, ids, retention)
    if url.startswith(SERVER):
        raise BadSetting(
            f"DATABASE_URL is {url!r}, a server, and this needs the database itself.",
            why="Only an app that enqueues, and looks for its results, can do so through a server.",
            hint="Name the database here; use ferryman.http.remote for what a server can be asked.",
        )
    raise BadSetting(
        f"DATABASE_URL is {url!r}.",
        why="No store has such a URL.",
        hint="Use sqlite:///relative.db, sqlite:////absolute/path.db, postgresql://user@host/database or memory://.",
    )


def is_postgres(url: str) -> bool:
    """Whether a URL names a PostgreSQL database."""
    return url.startswith(POSTGRES)


def postgres() -> Any:
    """The package of the PostgreSQL store, which only those import who use it. Raises DriverMissing."""
    try:
        return importlib.import_module("ferryman.store.postgres")
    except ImportError as error:
        if error.name != "asyncpg":
            raise
        raise DriverMissing(
            "DATABASE_URL names a PostgreSQL database, and asyncpg is not installed.",
            hint="Run: pip install 'ferryman[postgres]'",
        ) from error


def locks_folder() -> Path:
    """Where the nodes of one user on this machine have their lock files, whatever database they work on."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"ferryman-nodes-{os.getuid()}"


def transactions_of(store: Store) -> Transactions | None:
    """How handlers write beside their jobs one at a time, where the store lets them."""
    return store.transactions if isinstance(store, SqliteStore) else None


def many_transactions_of(store: Store) -> ManyTransactions | None:
    """How handlers write beside their jobs, many at a time, where the store lets them."""
    many: ManyTransactions | None = None if isinstance(store, SqliteStore) else getattr(store, "transactions", None)
    return many


def joins_of(store: Store) -> Joins | None:
    """How jobs are handed in through the connections of others, where the store lets them."""
    joins: Joins | None = getattr(store, "joins", None)
    return joins


def bell_of(store: Store) -> Bell:
    """The bell that reaches the other processes of a store."""
    if isinstance(store, SqliteStore):
        return Doorbell(nodes_folder(store.path))
    bell: Bell = getattr(store, "bell", None) or Silent()
    return bell
