"""What the tests of transactions on PostgreSQL share: a database with a node and a claimed job, and a table of the
user's own beside them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from ferryman.domain.job import ClaimedJob, Job, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.transaction import PostgresTransaction
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from tests.store.files import claim_of, new_job, node_info

IDS = tuple(f"0190a5b4-0000-7000-8000-{n:012x}" for n in range(20))
UNTOUCHED = {"a": 100, "b": 0}
MOVED = {"a": 90, "b": 10}
both_faces = pytest.mark.parametrize("blocking", [False, True], ids=["awaited", "blocking"])
"""Coroutines and functions write their transactions in different ways."""


class Place:
    """One store on a database."""

    def __init__(self, url: str, folder: Path, store_url: str | None = None, **options: Any) -> None:
        """`store_url` is how the store gets there, if not straight."""
        self.url = url
        given: dict[str, Any] = {"clock": ManualClock(), "retention": RETENTION, "locks": folder / "locks", **options}
        self.store = PostgresStore(store_url or url, **given)
        self.node = 0

    async def open(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute("CREATE TABLE account (name text PRIMARY KEY, money int NOT NULL)")
            connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
        await self.store.open()
        self.node = await self.store.register(node_info("n"), 0)

    async def claim(self, id: str, batch: int = 1, **fields: Any) -> ClaimedJob:
        await self.store.insert([new_job(id, **fields)], 0)
        (job,) = (await self.store.claim(claim_of(self.node, batch), 0)).jobs
        return job

    async def begin(self, job: ClaimedJob, using: Any = None, *, blocking: bool = False) -> PostgresTransaction:
        return await self.store.transactions.begin(self.node, job, using, blocking=blocking)

    async def move(self, opened: PostgresTransaction) -> None:
        for sql in (
            "UPDATE account SET money = money - 10 WHERE name = 'a'",
            "UPDATE account SET money = money + 10 WHERE name = 'b'",
        ):
            given = await asyncio.to_thread(opened.connection.execute, sql)
            if asyncio.iscoroutine(given):
                await given

    async def until_somebody_waits(self) -> None:
        """Look, as often as it takes, until a connection waits for a lock."""
        waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        with psycopg.connect(self.url, autocommit=True) as looker:
            while not (await asyncio.to_thread(looker.execute, waits)).rowcount:
                pass

    def money(self) -> dict[str, int]:
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT name, money FROM account").fetchall())

    async def job(self, id: str) -> Job | None:
        return await self.store.get(id, 0)

    async def connect(self, **options: Any) -> Any:
        return await asyncpg.connect(self.url, **options)


def done(job: ClaimedJob, token: int = 5, follow_ups: tuple[NewJob, ...] = ()) -> Finish:
    """How a run ends well."""
    return decide(job, Outcome(What.DONE, result="1", follow_ups=follow_ups), Run(token, 1, 0), 0)
