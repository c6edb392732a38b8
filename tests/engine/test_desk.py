"""The desk: begins and ends transactions for runs that may be gone by then."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from ferryman.domain.errors import (
    ClaimLost,
    StoreClosed,
)
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, What
from ferryman.engine.clock import SystemClock
from ferryman.engine.desk import Desk
from tests.engine.world import claimed_job


class Opened:
    """A transaction that notes what becomes of it."""

    def __init__(self, notes: list[str]) -> None:
        self.connection: Any = None
        self._notes = notes

    def finish(self, finish: Finish, now: int) -> bool:
        self._notes.append("finish")
        return False

    def rollback(self) -> None:
        self._notes.append("rollback")
        raise OSError("even that fails")

    def expire(self) -> None:
        self._notes.append("expire")
        raise OSError("even that fails")


class Port:
    """Begins transactions when it is let."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.let = threading.Event()
        self.let.set()
        self.begun = threading.Event()

    def begin(self, node: int, job: ClaimedJob) -> Opened:
        self.begun.set()
        self.let.wait(60)
        self.notes.append("begin")
        return Opened(self.notes)


def desk_of(port: Port, timeout: float = 60.0) -> Desk:
    return Desk(port, 1, SystemClock(), lambda: 5, timeout=timeout)


def test_a_transaction_that_nobody_waits_for_any_more_is_undone_as_it_begins() -> None:
    port = Port()
    port.let.clear()
    desk = desk_of(port)
    first, second = desk.begin(claimed_job()), desk.begin(claimed_job())
    assert port.begun.wait(60)
    assert first.cancel()
    desk.give_up(second)
    third = desk.begin(claimed_job())
    port.let.set()
    assert third.result(60).connection is None
    assert port.notes == ["begin", "rollback", "begin"]
    desk.give_up(third)
    assert desk.begin(claimed_job()).result(60).connection is None
    assert port.notes == ["begin", "rollback", "begin", "rollback", "begin"]
    desk.close()


def test_a_finish_that_is_fenced_tells_so_and_the_next_begins() -> None:
    port = Port()
    desk = desk_of(port)
    running: Any = SimpleNamespace(job=claimed_job(), run=SimpleNamespace(worker=1, started_at=0), committed=None)
    outcome: Any = SimpleNamespace(what=What.DONE, result="1", error=None, delay=None, follow_ups=())
    opened = desk.begin(claimed_job()).result(60)
    with pytest.raises(ClaimLost):
        desk.commit(opened, running, outcome).result(60)
    assert running.committed is None
    assert desk.begin(claimed_job()).result(60).connection is None
    desk.close()


def test_a_closed_desk_undoes_what_is_open_and_refuses_what_waits_and_comes() -> None:
    port = Port()
    desk = desk_of(port)
    opened = desk.begin(claimed_job()).result(60)
    waits = desk.begin(claimed_job())
    desk.close()
    desk.close()
    with pytest.raises(StoreClosed):
        waits.result(60)
    assert port.notes == ["begin", "expire"]
    with pytest.raises(StoreClosed):
        desk.begin(claimed_job())
    assert desk.rollback(opened).result(60) is None
    with pytest.raises(StoreClosed):
        desk.commit(opened, Any, Any)  # type: ignore[arg-type]
