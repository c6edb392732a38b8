"""From a database URL to a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ferryman.domain.errors import BadSetting
from ferryman.domain.ids import IdMinter
from ferryman.store.bell import Bell, Silent
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Clock, Retention, Runner, Store
from ferryman.store.sqlite import Doorbell, SqliteStore, nodes_folder
from ferryman.store.transactions import Joins, Transactions

SQLITE = "sqlite:///"
MEMORY = "memory://"


def sqlite_path(url: str) -> Path | None:
    """The file that a sqlite URL names: three slashes are relative, four are absolute; None for other URLs."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def make_store(
    url: str, *, clock: Clock, ids: IdMinter, retention: Retention, runner: Callable[[str], Runner]
) -> Store:
    """Build the store that a DATABASE_URL names; nothing is opened yet.

    Args:
        url: `sqlite:///relative`, `sqlite:////absolute` or `memory://`.
        clock: the store's two times.
        ids: mints the numbers that the store needs.
        retention: how long ended jobs are kept.
        runner: makes a named runner for blocking steps.

    Raises:
        BadSetting: no store has such a URL.
    """
    path = sqlite_path(url)
    if path is not None and path.name:
        return SqliteStore(path, clock=clock, ids=ids, retention=retention, runner=runner)
    if url == MEMORY:
        return MemoryStore(clock, ids, retention)
    raise BadSetting(
        f"DATABASE_URL is {url!r}.",
        why="No store has such a URL.",
        hint="Use sqlite:///relative.db, sqlite:////absolute/path.db or memory://.",
    )


def transactions_of(store: Store) -> Transactions | None:
    """How handlers write beside their jobs, where the store lets them."""
    return store.transactions if isinstance(store, SqliteStore) else None


def joins_of(store: Store) -> Joins | None:
    """How jobs are handed in through the connections of others, where the store lets them."""
    return store.joins if isinstance(store, SqliteStore) else None


def make_bell(url: str) -> Bell:
    """The bell that reaches the other processes of a store."""
    path = sqlite_path(url)
    return Silent() if path is None else Doorbell(nodes_folder(path))
