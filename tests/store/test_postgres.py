"""The PostgreSQL store passes the suite."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from ferryman.store.protocol import Store
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import LEASE, RETENTION, Harness, StoreConformance

URL = "postgresql://postgres@127.0.0.1:5499/"
names = itertools.count()


class PostgresHarness:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self._stores: list[PostgresStore] = []
        self._folder = folder
        self._name = f"t{os.getpid()}_{next(names)}"

    async def open(self) -> Store:
        connection = await asyncpg.connect(URL + "postgres")
        if not await connection.fetchval("select 1 from pg_database where datname='tpl'"):
            await connection.execute("create database tpl")
            await Schema(Target.of(URL + "tpl")).migrate()
        await connection.execute(f"create database {self._name} template tpl")
        await connection.close()
        return await self.another()

    async def another(self) -> Store:
        store = PostgresStore(URL + self._name, clock=self.clock, retention=RETENTION, locks=self._folder / "locks")
        self._stores.append(store)
        await store.open()
        return store

    async def kill(self, store: Store, node: int) -> None:
        assert isinstance(store, PostgresStore)
        os.close(store._locks._own.pop(store._own.pop(node)))

    async def close(self) -> None:
        for store in self._stores:
            await store.close()
        connection = await asyncpg.connect(URL + "postgres")
        await connection.execute(f"drop database if exists {self._name} with (force)")
        await connection.close()


class TestPostgres(StoreConformance):
    @pytest.fixture
    def make_harness(self, tmp_path: Path) -> Callable[[], Harness]:
        return lambda: PostgresHarness(tmp_path)
