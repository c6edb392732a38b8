"""What the tests of transactions on SQLite share: a store with a node and a claimed job, and a table of the user's own
in its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ferryman.domain.job import ClaimedJob, NewJob
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.store.sqlite.transaction import SqliteTransaction
from tests.store.files import claim_of, new_job, node_info, sqlite_store


class Place:
    """A store with one node and one claimed job, and a table of the user's own in its file."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.store = sqlite_store(path, **options)
        self.node = 0

    async def open(self) -> ClaimedJob:
        await self.store.open()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE account (name TEXT PRIMARY KEY, money INTEGER) STRICT")
            connection.execute("INSERT INTO account VALUES ('a', 100), ('b', 0)")
            connection.commit()
        self.node = await self.store.register(node_info("n"), 0)
        return await self.claim("job", 1)

    async def claim(self, id: str, batch: int) -> ClaimedJob:
        await self.store.insert([new_job(id)], 0)
        (job,) = (await self.store.claim(claim_of(self.node, batch), 0)).jobs
        return job

    def begin(self, job: ClaimedJob) -> SqliteTransaction:
        return self.store.transactions.begin(self.node, job)

    def money(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT name, money FROM account"))

    async def status(self, id: str = "job") -> Status:
        job = await self.store.get(id, 0)
        assert job is not None
        return job.status


def done(job: ClaimedJob, token: int = 5, follow_ups: tuple[NewJob, ...] = (), result: str = "1") -> Finish:
    return decide(job, Outcome(What.DONE, result=result, follow_ups=follow_ups), Run(token, 1, 0), 0)


def move(connection: sqlite3.Connection, amount: int = 10) -> None:
    connection.execute("UPDATE account SET money = money - ? WHERE name = 'a'", (amount,))
    connection.execute("UPDATE account SET money = money + :amount WHERE name = 'b'", {"amount": amount})


UNTOUCHED = {"a": 100, "b": 0}
MOVED = {"a": 90, "b": 10}
