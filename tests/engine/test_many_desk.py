"""The desk of a store that bears many transactions: who waits, who is given up, who is cut off."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from ferryman.domain.errors import ClaimLost, StoreClosed
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, What
from ferryman.engine.clock import SystemClock
from ferryman.engine.manydesk import ManyDesk
from tests.engine.world import claimed_job, turns

pytestmark = pytest.mark.anyio


class Opened:
    """A transaction that notes what becomes of it."""

    connection: Any = None

    def __init__(self, notes: list[str], won: bool) -> None:
        self._notes = notes
        self._won = won

    async def finish(self, finish: Finish, now: int) -> bool:
        self._notes.append("finish")
        return self._won

    async def rollback(self) -> None:
        self._notes.append("rollback")

    def break_off(self) -> None:
        self._notes.append("break off")


class Port:
    """Begins transactions when it is let."""

    def __init__(self, won: bool = True) -> None:
        self.notes: list[str] = []
        self.let = asyncio.Event()
        self.begun = asyncio.Event()
        self._won = won

    async def begin(self, node: int, job: ClaimedJob, using: Any, *, blocking: bool) -> Opened:
        self.begun.set()
        await self.let.wait()
        self.notes.append("begin")
        return Opened(self.notes, self._won)


def desk_of(port: Port) -> ManyDesk:
    return ManyDesk(port, 1, SystemClock(), lambda: 5)


def a_run() -> Any:
    return SimpleNamespace(job=claimed_job(), run=SimpleNamespace(worker=1, started_at=0), committed=None)


DONE: Any = SimpleNamespace(what=What.DONE, result="1", error=None, delay=None, follow_ups=())


async def test_a_commit_says_so_to_the_run() -> None:
    port, run = Port(), a_run()
    port.let.set()
    desk = desk_of(port)
    opened = await asyncio.wrap_future(desk.begin(claimed_job(), blocking=False))
    await asyncio.wrap_future(desk.commit(opened, run, DONE))
    assert run.committed.run.token == 5
    assert run.committed.outcome is DONE
    desk.close()
    assert port.notes == ["begin", "finish"], "it has ended, so nothing is broken off"


async def test_a_finish_that_is_fenced_tells_so() -> None:
    port, run = Port(won=False), a_run()
    port.let.set()
    desk = desk_of(port)
    opened = await asyncio.wrap_future(desk.begin(claimed_job(), blocking=False))
    with pytest.raises(ClaimLost):
        await asyncio.wrap_future(desk.commit(opened, run, DONE))
    assert run.committed is None


async def test_a_transaction_that_nobody_waits_for_any_more_is_undone_as_it_begins() -> None:
    port = Port()
    desk = desk_of(port)
    first, second = desk.begin(claimed_job(), blocking=False), desk.begin(claimed_job(), blocking=True)
    await port.begun.wait()
    assert first.cancel()
    desk.give_up(second)
    port.let.set()
    await turns()
    assert port.notes == ["begin", "rollback"] * 2 or sorted(port.notes) == ["begin", "begin", "rollback", "rollback"]


async def test_one_that_has_begun_when_it_is_given_up_is_undone() -> None:
    port = Port()
    port.let.set()
    desk = desk_of(port)
    begun = desk.begin(claimed_job(), blocking=False)
    await asyncio.wrap_future(begun)
    desk.give_up(begun)
    await turns()
    assert port.notes == ["begin", "rollback"]
    desk.give_up(failed := desk.begin(claimed_job(), blocking=False))
    await turns()
    assert failed.cancelled()


async def test_a_closed_desk_cuts_off_what_is_open_and_refuses_what_waits_and_comes() -> None:
    port = Port()
    port.let.set()
    desk = desk_of(port)
    await asyncio.wrap_future(desk.begin(claimed_job(), blocking=False))
    port.let.clear()
    waiting = [desk.begin(claimed_job(), blocking=blocking) for blocking in (False, True)]
    await turns()
    desk.close()
    desk.close()
    for each in [*waiting, desk.begin(claimed_job(), blocking=False)]:
        with pytest.raises(StoreClosed):
            await asyncio.wrap_future(each)
    assert port.notes == ["begin", "break off", "break off"]
    port.let.set()
    await turns()
    assert port.notes[3:] == ["begin", "rollback"], "only the thread's goes on, and is undone"


def test_after_its_loop_there_are_no_transactions() -> None:
    async def make() -> ManyDesk:
        return desk_of(Port())

    desk = asyncio.run(make())
    with pytest.raises(StoreClosed):
        desk.begin(claimed_job(), blocking=True)
    assert desk.rollback(Opened([], True)).result(0) is None
