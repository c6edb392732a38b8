"""Connections to PostgreSQL and processes that fork: the child touches none of the parent's."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from ferryman.store.postgres import PostgresStore
from ferryman.store.postgres.behind import LookBehind
from ferryman.store.postgres.connections import Line
from ferryman.store.postgres.cursor import Cursor
from ferryman.store.postgres.loopthread import LoopThread
from ferryman.store.postgres.own import OwnConnection
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.target import Target
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from tests.postgres.databases import Databases
from tests.servers import migrated

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")]


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    with migrated(postgres) as url:
        yield url


async def test_what_another_process_made_is_left_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = await asyncpg.connect(url, connection_class=OwnConnection)
    assert isinstance(connection, OwnConnection)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        connection.terminate()
        connection.__del__()
    assert await connection.fetchval("SELECT 1") == 1
    connection.terminate()
    assert connection.is_closed()
    connection.__del__()


async def test_one_that_nobody_closed_is_told_in_its_own_process(url: str) -> None:
    connection = await asyncpg.connect(url, connection_class=OwnConnection)
    with pytest.warns(ResourceWarning, match="unclosed connection"):
        connection.__del__()
    assert connection.is_closed()


async def test_the_look_under_way_is_not_the_childs_to_wait_for() -> None:
    line = Line(Target.of("postgresql://h/d"), Statements(), size=1, seconds=1.0)
    behind, others = LookBehind(Cursor(), line, lambda: 0.0), asyncio.all_tasks()
    behind.begin_if_due()
    (looking,) = asyncio.all_tasks() - others
    behind.abandon()
    await behind.flush()
    assert not looking.done()
    await looking


async def test_a_loop_thread_does_one_more_thing_before_it_ends() -> None:
    thread, done = LoopThread("t"), list[str]()

    async def say(word: str) -> None:
        done.append(word)

    await thread.close(lambda: say("never ran"))
    await asyncio.to_thread(lambda: thread.run(say("ran")))
    await thread.close(lambda: say("last"))
    await thread.close(lambda: say("ended"))
    assert done == ["ran", "last"]


async def test_a_child_that_forgets_all_takes_nothing_from_its_parent(url: str, tmp_path: Path) -> None:
    """The child shares the selector of the loop: what it takes out of that, the parent waits for in vain."""
    children: list[object] = []
    store = PostgresStore(
        url, clock=ManualClock(), retention=RETENTION, locks=tmp_path, at_fork=lambda each: children.append(each)
    )
    await store.open()
    await store.counts(1)
    pid = os.fork()
    if pid == 0:
        try:
            store._abandon()
            gc.collect()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, pid, 0))[1]) == 0
    await asyncio.wait_for(store.counts(1), 60)
    assert len(children) == 1
    await store.close()
