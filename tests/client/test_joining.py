"""What a caller may hold of a transaction, and the driver's connection behind it."""

from __future__ import annotations

import random
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import orm

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.client.joining import Joining
from ferryman.domain.errors import TransactionImpossible
from ferryman.domain.ids import IdMinter
from ferryman.store.protocol import Receipt, Verdict
from ferryman.store.transactions import Entry
from ferryman.testing.clock import ManualClock
from tests.client.world import Catalogue

pytestmark = pytest.mark.anyio


class Seen:
    """Takes jobs through whatever it is given."""

    def __init__(self) -> None:
        self.connections: list[Any] = []

    def insert(self, connection: Any, entry: Entry) -> list[Receipt]:
        self.connections.append(connection)
        return [Receipt(job.id, Verdict.INSERTED) for job in entry.admit(None)]

    async def ainsert(self, connection: Any, entry: Entry) -> list[Receipt]:
        return self.insert(connection, entry)


class Noted:
    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.begun = False

    def in_transaction(self) -> bool:
        return self.begun


class AsyncConnection(Noted):
    """As SQLAlchemy's, which cannot be imported without greenlet."""

    driver_connection = "the driver's"

    async def begin(self) -> None:
        self.begun = True
        self.notes.append("begin")

    async def exec_driver_sql(self, sql: str) -> None:
        self.notes.append(sql)

    async def get_raw_connection(self) -> AsyncConnection:
        return self


class AsyncSession(Noted):
    def __init__(self, notes: list[str]) -> None:
        super().__init__(notes)
        self.sync_session = orm.Session()
        self.inner = AsyncConnection(notes)

    async def connection(self) -> AsyncConnection:
        return self.inner


class async_scoped_session:  # noqa: N801 - SQLAlchemy's name
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def __call__(self) -> AsyncSession:
        return self.session


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def joining(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> Joining:
    module = ModuleType("sqlalchemy.ext.asyncio")
    for kind in (AsyncConnection, AsyncSession, async_scoped_session):
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "sqlalchemy.ext.asyncio", module)
    clock = ManualClock()
    return Joining(seen, Admission(Catalogue(), clock, IdMinter(random.Random(3))), clock, 0)


REQUEST = JobRequest("send", '{"to":"a"}')


async def test_an_awaited_session_of_sqlalchemy_wakes_after_its_commit(joining: Joining, seen: Seen) -> None:
    notes: list[str] = []
    woken: list[bool] = []
    session = AsyncSession(notes)
    for tx in (session, async_scoped_session(session), SimpleNamespace(connection=session)):
        await joining.aenqueue(tx, [REQUEST], lambda: woken.append(True))
    assert seen.connections == ["the driver's"] * 3
    assert notes == ["begin", "SELECT 1", "SELECT 1", "SELECT 1"]
    assert woken == []
    session.sync_session.begin()
    session.sync_session.commit()
    assert woken == [True, True, True]


async def test_an_awaited_connection_of_sqlalchemy_is_no_affair_of_the_blocking_face(
    joining: Joining, seen: Seen
) -> None:
    connection = AsyncConnection([])
    await joining.aenqueue(connection, [REQUEST], lambda: None)
    assert seen.connections == ["the driver's"]
    for tx in (connection, AsyncSession([])):
        with pytest.raises(TransactionImpossible, match=r"SQLAlchemy is awaited.*aenqueue"):
            joining.enqueue(tx, [REQUEST], lambda: None)


async def test_what_nobody_knows_is_given_to_the_store_as_it_is(joining: Joining, seen: Seen) -> None:
    class Own:
        @property
        def connection(self) -> Own:
            return self

    own, inner = Own(), object()
    for tx in (own, inner, SimpleNamespace(connection=inner)):
        joining.enqueue(tx, [REQUEST], lambda: None)
    assert seen.connections == [own, inner, inner]
