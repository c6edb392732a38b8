"""Cancels, retries and expiries that meet others on PostgreSQL, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.store.postgres import people
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.inserting import insert_plain
from ferryman.store.postgres.lanes import Lanes
from ferryman.store.postgres.locks import NodeLocks
from ferryman.store.postgres.loopthread import LoopThread
from ferryman.store.postgres.steps import Steps
from ferryman.store.protocol import CancelResult, JobFilter, RetryResult
from ferryman.testing.conformance import RETENTION
from tests.store.files import new_job
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
PENDING = (1, "pending", 0, 0, 5, None, None, None)
PROCESSING = (1, "processing", 1, 1, 5, None, None, None)


def play(steps: Steps[Any], answers: Sequence[Sequence[Any]]) -> Any:
    """Drive a verb with answers made up."""
    try:
        next(steps)
        for rows in answers:
            steps.send(rows)
    except StopIteration as end:
        return end.value
    raise AssertionError("the verb asks for more")


def test_a_job_that_never_stands_still_is_given_up() -> None:
    moved = [[PENDING], []]
    with pytest.raises(StoreBusy, match="kept moving"):
        play(people.cancel(Lanes(), IDS.mint(0), 0, RETENTION), moved * people.LOOKS)


def test_a_run_that_ends_while_its_cancel_waits_is_looked_at_again() -> None:
    completed = (1, "completed", 1, 1, 5, None, None, 0)
    answers: list[list[Any]] = [[PROCESSING], [], [], [completed]]
    assert play(people.cancel(Lanes(), IDS.mint(0), 0, RETENTION), answers).before == "completed"


async def test_what_is_no_id_is_no_job(database: str) -> None:
    async with opened(database) as store:
        assert await store.get("no id", 0) is None
        assert list(await store.attempts("no id")) == []
        assert await store.cancel("no id", 0) == CancelResult(None)
        assert await store.retry("no id", 0) == RetryResult(None)
        assert list(await store.list(JobFilter(after="no id"), 0)) == []


async def test_a_job_that_somebody_stores_at_the_same_moment_is_to_be_tried_again(database: str) -> None:
    async with opened(database) as store, connected(database) as other:
        job = new_job(IDS.mint(0))
        await store.insert([new_job(IDS.mint(0))], 0)
        transaction = other.transaction()
        await transaction.start()
        await drive(other, store._statements, insert_plain(store._lanes, [job], 0))
        inserting = asyncio.create_task(store.insert([job], 0, max_pending=10))
        async with connected(database) as observer:
            while not await observer.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass  # each look gives the loop a turn
        await transaction.commit()
        with pytest.raises(StoreBusy):
            await inserting


def test_lock_files_are_let_go_and_nothing_is_said_twice(tmp_path: Path) -> None:
    locks = NodeLocks(tmp_path / "locks")
    locks.enter("n")
    locks.enter("n")
    assert not locks.gone("n")
    assert not locks.gone("never was")
    locks.leave("n")
    locks.leave("n")
    assert not locks.gone("n"), "a file that is not there says nothing"


def test_a_thread_that_never_began_is_closed() -> None:
    thread = LoopThread("test")
    thread.end()
    thread.end()
