"""What each store brings along to the conformance suite."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Final

from ferryman.domain.ids import IdMinter
from ferryman.engine.runner import ThreadRunner
from ferryman.store.memory import MemoryStore
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres import statements as for_postgres
from ferryman.store.protocol import Store
from ferryman.store.sqlite import SqliteStore
from ferryman.store.sqlite import statements as for_sqlite
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from tests.postgres.databases import Databases
from tests.store.servers import end_process_of

ON_SQLITE: Final = for_sqlite.Statements()
ON_POSTGRES: Final = for_postgres.Statements()
"""Read once for some thousand stores: they are two hundred files."""


class MemoryHarness:
    """There is one process, so there is one connection; a node's death is a word to the store."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._gone: set[str] = set()
        self._store = MemoryStore(self.clock, IdMinter(random.Random(3)), RETENTION, gone=self._gone.__contains__)

    async def open(self) -> Store:
        await self._store.open()
        return self._store

    async def another(self) -> Store:
        return self._store

    async def kill(self, store: Store, node: int) -> None:
        self._gone.add(self._store._tables.nodes[node].info.id)

    async def close(self) -> None:
        await self._store.close()


class SqliteHarness:
    """Every connection is a store object of its own on the same file, as in two processes."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.path = folder / "jobs.db"
        self._stores: list[SqliteStore] = []

    async def open(self) -> Store:
        return await self.another()

    async def another(self) -> Store:
        ids = IdMinter(random.Random(len(self._stores)))
        store = SqliteStore(
            self.path, clock=self.clock, ids=ids, retention=RETENTION, runner=ThreadRunner, statements=ON_SQLITE
        )
        self._stores.append(store)
        await store.open()
        return store

    async def kill(self, store: Store, node: int) -> None:
        """What the kernel does for a process that ends: its locks are let go, its files stay."""
        assert isinstance(store, SqliteStore)
        descriptor, _ = store._liveness._own.pop(store._own.pop(node))
        os.close(descriptor)

    async def close(self) -> None:
        for store in self._stores:
            await store.close()


class PostgresHarness:
    """Every connection is a store object of its own on the same database, as in two processes on one machine."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.clock = ManualClock()
        self.url = ""
        self._databases = databases
        self._folder = folder
        self._stores: list[PostgresStore] = []

    async def open(self) -> Store:
        self.url = await asyncio.to_thread(self._databases.fresh)
        return await self.another()

    async def another(self) -> Store:
        store = PostgresStore(
            self.url, clock=self.clock, retention=RETENTION, locks=self._folder / "locks", statements=ON_POSTGRES
        )
        self._stores.append(store)
        await store.open()
        return store

    async def kill(self, store: Store, node: int) -> None:
        assert isinstance(store, PostgresStore)
        end_process_of(store, node)

    async def close(self) -> None:
        for store in self._stores:
            await store.close()
        if self.url:
            await asyncio.to_thread(self._databases.drop, self.url)
