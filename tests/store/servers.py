"""What the tests of the PostgreSQL store share: stores, nodes and transactions of somebody else's."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from ferryman.domain.ids import IdMinter
from ferryman.store.postgres import PostgresStore
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance.harness import RETENTION

NOWHERE = Path("/proc/self/nowhere")
"""No folder for lock files can be made here: nodes are known by their beats alone."""


def minter(seed: int = 5) -> IdMinter:
    """Ids from a seed."""
    return IdMinter(random.Random(seed))


def postgres_store(url: str, clock: ManualClock | None = None, **options: Any) -> PostgresStore:
    """A store that is not open yet."""
    given = {"clock": clock or ManualClock(), "retention": RETENTION, "locks": NOWHERE, **options}
    return PostgresStore(url, **given)


@asynccontextmanager
async def opened(url: str, clock: ManualClock | None = None, **options: Any) -> AsyncIterator[PostgresStore]:
    """An open store."""
    store = postgres_store(url, clock, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def at_rest(store: PostgresStore) -> None:
    """Wait for what the store began beside its verbs: else its answers, too, come to a proxy that waits for one."""
    await store._behind.flush()
    await store.bell.flush()


def end_process_of(store: PostgresStore, node: int) -> None:
    """What the kernel does for a process that ends: its locks are let go, its files stay."""
    liveness = store._liveness
    os.close(liveness._locks._own.pop(liveness._own.pop(node)))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A connection of somebody else's."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        connection.terminate()
