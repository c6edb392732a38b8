"""What the tests of `ctx.transaction()` share: a node over a real file with accounts, and handlers that move money."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import msgspec

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.domain.ids import IdMinter
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.node import Node
from ferryman.engine.registry import Handler
from ferryman.engine.runner import ThreadRunner
from ferryman.engine.transaction import Transaction
from ferryman.store.sqlite import SqliteStore
from tests.engine.world import FOREVER, Bench


class Bank(Bench):
    """A node over a SQLite file with a table of accounts."""

    def __init__(self, folder: Path, *handlers: Callable[..., Any] | Handler, **options: Any) -> None:
        super().__init__(*handlers, noop, clock=SystemClock(), **options)
        self.path = folder / "jobs.db"
        ids = IdMinter(random.Random(2))
        self.file = SqliteStore(self.path, clock=self.clock, ids=ids, retention=FOREVER, runner=ThreadRunner)
        self.world = msgspec.structs.replace(
            self.world,
            store=self.file,
            transactions=self.file.transactions,
            admit=Admission(self.world.registry, self.clock, ids).admit,
        )
        self.store = self.file  # type: ignore[assignment]  # of which only the common verbs are used here
        self.node = Node(self.world, self.options, self.wakeup)

    async def __aenter__(self) -> Self:
        await self.file.open()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, money INTEGER) STRICT")
            connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
            connection.commit()
        await self.node.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.stop()
        await self.file.close()

    def money(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT name, money FROM account"))


MOVE = "UPDATE account SET money = money + ? WHERE name = ?"
UNTOUCHED = {"a": 100, "b": 0}
MOVED = {"a": 90, "b": 10}


async def noop() -> None:
    pass


def call(type: str = "noop", **options: Any) -> Any:
    return SimpleNamespace(request=JobRequest(type, **options))


def move(tx: Transaction, amount: int = 10) -> None:
    tx.execute(MOVE, (-amount, "a"))
    tx.executemany(MOVE, [(amount, "b")])


def pays(ctx: Context) -> str:
    with ctx.transaction() as tx:
        move(tx)
        ctx.enqueue(call())
        tx.result = {"paid": tx.connection.execute("SELECT money FROM account WHERE name = 'b'").fetchone()[0]}
    return "of no account"


async def apays(ctx: Context) -> None:
    async with ctx.transaction() as tx:
        move(tx)
        ctx.enqueue(call())
        tx.result = {"paid": 10}
