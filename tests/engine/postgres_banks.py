"""What the tests of `ctx.transaction()` on PostgreSQL share: a node over a database with accounts, and money moved."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
import psycopg

from ferryman.client.admission import Admission
from ferryman.domain.ids import IdMinter
from ferryman.engine.clock import SystemClock
from ferryman.engine.node import Node
from ferryman.engine.registry import Handler
from ferryman.engine.transaction import Transaction
from ferryman.store.postgres import PostgresStore
from tests.engine.banks import noop
from tests.engine.world import FOREVER, Bench


class Bank(Bench):
    """A node over a database with a table of accounts."""

    def __init__(self, url: str, folder: Path, *handlers: Callable[..., Any] | Handler, **options: Any) -> None:
        super().__init__(*handlers, noop, clock=SystemClock(), **options)
        self.url = url
        self.database = PostgresStore(url, clock=self.clock, retention=FOREVER, locks=folder / "locks")
        self.world = msgspec.structs.replace(
            self.world,
            store=self.database,
            many_transactions=self.database.transactions,
            admit=Admission(self.world.registry, self.clock, IdMinter(random.Random(2))).admit,
        )
        self.store = self.database  # type: ignore[assignment]  # of which only the common verbs are used here
        self.node = Node(self.world, self.options, self.wakeup)

    async def __aenter__(self) -> Self:
        await self.database.open()
        with psycopg.connect(self.url) as connection:
            connection.execute("CREATE TABLE account (name text PRIMARY KEY, money int NOT NULL)")
            connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
        await self.node.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.stop()
        await self.database.close()

    def money(self) -> dict[str, int]:
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT name, money FROM account").fetchall())


async def amove(tx: Transaction) -> None:
    await tx.execute("UPDATE account SET money = money - $1 WHERE name = 'a'", 10)
    await tx.executemany("UPDATE account SET money = money + $1 WHERE name = $2", [(10, "b")])


def move(tx: Transaction) -> None:
    tx.execute("UPDATE account SET money = money - %s WHERE name = 'a'", (10,))
    tx.execute("UPDATE account SET money = money + %s WHERE name = 'b'", (10,))
