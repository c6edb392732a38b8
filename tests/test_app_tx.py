"""`enqueue(tx=...)`: jobs as a part of the caller's own transaction, through every kind of connection."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import orm

from ferryman import Ferryman, errors
from ferryman.client import Client
from ferryman.store.bell import Ring
from ferryman.store.protocol import JobFilter
from ferryman.store.sqlite import Doorbell, nodes_folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def app(path: Path) -> Iterator[Ferryman]:
    with Ferryman(f"sqlite:///{path}", max_pending=3) as app:
        app.wake()
        yield app


def add(a: int, b: int = 2) -> int:
    return a + b


def payloads(app: Ferryman) -> list[str]:
    async def read(client: Client) -> list[str]:
        return [job.payload for job in await client.list(JobFilter())]

    return app._bridge.call(read, "")


def test_the_job_exists_iff_the_transaction_commits(app: Ferryman, path: Path) -> None:
    job = app.job(add)
    with closing(sqlite3.connect(path)) as connection:
        job.call(1).enqueue(tx=connection)
        connection.rollback()
        handle = job.call(2).enqueue(tx=connection)
        assert payloads(app) == []
        connection.commit()
        assert payloads(app) == ['{"a":2}']
        assert handle.status() == "pending"


def test_many_are_a_part_of_it_too(app: Ferryman, path: Path) -> None:
    job = app.job(add)
    with closing(sqlite3.connect(path)) as connection:
        assert app.enqueue_many((job.call(n) for n in range(3)), tx=connection) == 3
        assert payloads(app) == []
        connection.commit()
        assert len(payloads(app)) == 3
        with pytest.raises(errors.QueueFull):
            app.enqueue_many([job.call(4)], tx=connection)


def test_it_works_where_a_loop_runs(app: Ferryman, path: Path) -> None:
    job = app.job(add)

    async def play() -> None:
        with closing(sqlite3.connect(path)) as connection:
            handle = await job.call(1).aenqueue(tx=connection)
            job.call(2).enqueue(tx=connection)
            app.enqueue_many([job.call(3)], tx=connection)
            connection.commit()
        assert await handle.astatus() == "pending"
        await app.awake()

    asyncio.run(play())
    assert len(payloads(app)) == 3


def test_an_app_that_has_opened_nothing_can_do_it(app: Ferryman, path: Path) -> None:
    other = Ferryman(f"sqlite:///{path}")
    job = other.job(add)
    with closing(sqlite3.connect(path)) as connection:
        job.call(1).enqueue(tx=connection)
        job.call(2).enqueue(tx=connection)
        connection.commit()
    assert other._bridge._own is None, "no thread, no connection of its own"
    assert len(payloads(app)) == 2


def test_keys_are_judged_and_their_holder_is_given(app: Ferryman, path: Path) -> None:
    job = app.job(add)
    first = job.call(1).options(unique_key="k").enqueue()
    with closing(sqlite3.connect(path)) as connection:
        with pytest.raises(errors.UniqueKeyTaken) as caught:
            job.call(2).options(unique_key="k").enqueue(tx=connection)
        assert caught.value.holder == first.id
        assert job.call(2).options(unique_key="k", on_conflict="return").enqueue(tx=connection) == first
        with pytest.raises(errors.BadOption):
            job.call(2).options(priority=10).enqueue(tx=connection)
        connection.commit()
    assert len(payloads(app)) == 1


def test_a_store_in_memory_takes_no_part() -> None:
    with Ferryman("memory://") as app, pytest.raises(errors.TransactionImpossible, match="takes no part"):
        app.job(add).call(1).enqueue(tx="anything")


def test_a_job_of_another_app_has_to_be_known_to_the_store(app: Ferryman, path: Path) -> None:
    stranger = Ferryman("memory://").job(add).call(1)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(errors.UnknownType):
        app.enqueue_many([stranger], tx=connection)


# -- waking ----------------------------------------------------------------------------------------


class Listener:
    """Another node's doorbell."""

    def __init__(self, path: Path) -> None:
        self._bell = Doorbell(nodes_folder(path))
        self.heard: asyncio.Queue[Ring] = asyncio.Queue()

    async def __aenter__(self) -> Listener:
        self._bell.listen("other", self.heard.put_nowait)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bell.close()

    async def rings(self) -> set[Ring]:
        return {await self.heard.get(), await self.heard.get()}


def test_waking_rings_at_other_nodes(app: Ferryman, path: Path) -> None:
    async def play() -> None:
        async with Listener(path) as listener:
            await asyncio.to_thread(app.wake)
            assert await listener.rings() == {Ring.WORK, Ring.SCHEDULED}

    asyncio.run(play())


def test_waking_inside_a_loop_is_awaited(app: Ferryman) -> None:
    async def play() -> None:
        with pytest.raises(errors.SyncInsideLoop, match=r"app\.awake\(\)"):
            app.wake()

    asyncio.run(play())


# -- SQLAlchemy ------------------------------------------------------------------------------------


@pytest.fixture
def engine(path: Path) -> Iterator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def test_a_session_of_sqlalchemy_commits_the_job_and_wakes(
    app: Ferryman, path: Path, engine: sqlalchemy.Engine
) -> None:
    job = app.job(add)

    async def play() -> None:
        async with Listener(path) as listener:
            with orm.Session(engine) as session:
                job.call(1).enqueue(tx=session)
                session.rollback()
                job.call(2).enqueue(tx=session)
                with session.begin_nested():
                    job.call(3).enqueue(tx=session)
                assert listener.heard.empty()
                session.commit()
                assert await listener.rings() == {Ring.WORK, Ring.SCHEDULED}

    asyncio.run(play())
    assert payloads(app) == ['{"a":2}', '{"a":3}']


def test_a_savepoint_that_is_released_wakes_nobody(app: Ferryman, engine: sqlalchemy.Engine) -> None:
    joining = app._bridge._alone()().joining
    woken: list[str] = []
    request = app.job(add).call(1).request
    with orm.Session(engine) as session:
        with session.begin_nested():
            joining.enqueue(session, [request], lambda: woken.append("woken"))
        assert woken == []
        session.commit()
        assert woken == ["woken"]
        session.commit()
        assert len(woken) == 1


def test_a_connection_of_sqlalchemy_commits_the_job(app: Ferryman, engine: sqlalchemy.Engine) -> None:
    job = app.job(add)
    with engine.connect() as connection:
        job.call(1).enqueue(tx=connection)
        connection.rollback()
        job.call(2).enqueue(tx=connection)
        connection.commit()
        with connection.begin():
            job.call(3).enqueue(tx=connection)
    assert payloads(app) == ['{"a":2}', '{"a":3}']


def test_a_scoped_session_is_its_threads_session(app: Ferryman, engine: sqlalchemy.Engine) -> None:
    job = app.job(add)
    scoped = orm.scoped_session(orm.sessionmaker(engine))
    job.call(1).enqueue(tx=scoped)
    scoped.commit()
    scoped.remove()
    assert len(payloads(app)) == 1


def test_an_engine_that_commits_each_statement_is_refused(app: Ferryman, engine: sqlalchemy.Engine) -> None:
    job = app.job(add)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        call = job.call(1)
        with pytest.raises(errors.TransactionImpossible, match="No transaction is open"):
            call.enqueue(tx=connection)


def test_sqlalchemy_is_not_imported_for_it() -> None:
    code = "import sys, ferryman; sys.exit('sqlalchemy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
