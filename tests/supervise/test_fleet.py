"""A supervisor and its node processes: real processes, but with nothing in them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.supervise.fleet import FORCED, Fleet, _delay
from ferryman.supervise.nodeprocess import NodeProcess
from ferryman.supervise.report import Report

pytestmark = pytest.mark.anyio

CHILD = """
import signal, sys
from ferryman.observe.metrics import Metrics
from ferryman.supervise.nodeprocess import NodeProcess
from ferryman.supervise.report import Report
import msgspec

pipe = open(int(sys.argv[-1]), "wb", buffering=0)

def tell(ready):
    report = Report(None, ready, 10, 100, 3, 2, Metrics().take())
    pipe.write(msgspec.json.encode(report) + b"\\n")

def end(number, frame):
    sys.exit(%(code)s)

def hush(number, frame):
    tell(False)

signal.signal(signal.SIGTERM, %(on_term)s)
signal.signal(signal.SIGUSR1, hush)
%(first)s
while True:
    signal.pause()
"""


def child(first: str = "tell(True)", code: int = 0, on_term: str = "end") -> list[str]:
    """A process that reports once, and then waits for signals."""
    return [sys.executable, "-c", CHILD % {"first": first, "code": code, "on_term": on_term}]


class Watch:
    """Hears what a fleet tells, and waits for it."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.given_back = 0
        self.codes: list[int] = []
        self.error: Exception | None = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def heard(self, report: Report) -> None:
        self.reports.append(report)
        self._wake()

    def hopeless(self, code: int) -> None:
        self.codes.append(code)
        self._wake()

    async def give_back(self) -> None:
        self.given_back += 1
        self._wake()
        if self.error is not None:
            raise self.error

    def _wake(self) -> None:
        for true, future in self._waiting:
            if true() and not future.done():
                future.set_result(None)

    async def until(self, true: Callable[[], bool]) -> None:
        if not true():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((true, future))
            await asyncio.wait_for(future, 60)


@asynccontextmanager
async def running(command: list[str], count: int, watch: Watch, **options: Any) -> AsyncIterator[Fleet]:
    given = {"stop_deadline": 30.0, "loop_stall": 60.0, **options}
    fleet = Fleet(
        command,
        count,
        monotonic=asyncio.get_running_loop().time,
        give_back=watch.give_back,
        heard=watch.heard,
        hopeless=watch.hopeless,
        **given,
    )
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop()


async def test_every_process_is_started_and_together_they_are_what_they_say() -> None:
    watch = Watch()
    async with running(child(), 3, watch) as fleet:
        before = fleet.ready
        await watch.until(lambda: len(watch.reports) == 3)
        assert (before, fleet.ready) == (False, True)
        assert len(set(fleet.pids)) == 3
        assert (fleet.workers, fleet.channel_capacity, fleet.channel_length, fleet.in_progress) == (30, 300, 9, 6)
    assert (fleet.code, fleet.pids, fleet.ready, watch.given_back) == (0, [], False, 0)


async def test_a_process_that_dies_is_replaced_and_its_claims_are_given_back() -> None:
    watch = Watch()
    async with running(child(), 2, watch) as fleet:
        await watch.until(lambda: len(watch.reports) == 2)
        dead, other = fleet.pids
        os.kill(dead, signal.SIGKILL)
        await watch.until(lambda: watch.given_back == 1 and len(watch.reports) == 3)
        assert other in fleet.pids
        assert dead not in fleet.pids
        assert len(fleet.pids) == 2
    assert fleet.code == 0


async def test_a_process_that_stops_by_itself_is_replaced_and_that_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = Watch()
    caplog.set_level(logging.INFO, "ferryman.supervise")
    async with running(child(), 1, watch) as fleet:
        await watch.until(lambda: len(watch.reports) == 1)
        os.kill(fleet.pids[0], signal.SIGTERM)
        await watch.until(lambda: len(watch.reports) == 2)
    [said] = [record for record in caplog.records if "another one takes its place" in record.message]
    assert (said.levelname, fleet.code) == ("INFO", 0)


async def test_a_store_that_fails_at_a_burial_keeps_nobody_from_being_replaced() -> None:
    watch = Watch()
    watch.error = StoreBusy("busy")
    async with running(child(), 1, watch) as fleet:
        await watch.until(lambda: len(watch.reports) == 1)
        os.kill(fleet.pids[0], signal.SIGKILL)
        await watch.until(lambda: len(watch.reports) == 2)


async def test_processes_that_never_get_ready_are_hopeless() -> None:
    watch = Watch()
    async with running(child("sys.exit(3)"), 1, watch):
        await watch.until(lambda: watch.codes == [3, 3])  # the first failure is forgiven: it may have been an accident


async def test_one_that_fails_after_any_was_ready_is_not_hopeless() -> None:
    watch = Watch()
    async with running(child("tell(True); sys.exit(3)"), 1, watch):
        await watch.until(lambda: len(watch.reports) == 2)
    assert watch.codes == []


async def test_a_process_that_does_not_stop_in_time_is_killed() -> None:
    watch = Watch()
    async with running(child(on_term="signal.SIG_IGN"), 1, watch, stop_deadline=0.0, last_words=0.0) as fleet:
        await watch.until(lambda: len(watch.reports) == 1)
    assert fleet.code == FORCED
    assert fleet.pids == []


async def test_the_worst_exit_code_counts() -> None:
    watch = Watch()
    async with running(child(code=1), 2, watch) as fleet:
        await watch.until(lambda: len(watch.reports) == 2)
    assert fleet.code == 1


async def test_a_stop_right_after_the_start_ends_what_is_being_started() -> None:
    watch = Watch()
    async with running(child(), 2, watch) as fleet:
        pass
    assert fleet.pids == []
    assert watch.given_back == 0


async def test_quiet_reaches_those_that_run_and_those_that_come_later() -> None:
    watch = Watch()

    def quiet() -> int:
        return sum(not report.ready for report in watch.reports)

    async with running(child(), 1, watch) as fleet:
        fleet.quiet()  # it has not said a word yet: the signal would end it
        await watch.until(lambda: quiet() == 1)
        assert not fleet.ready
        os.kill(fleet.pids[0], signal.SIGKILL)
        await watch.until(lambda: quiet() == 2)
    assert fleet.code == 0


async def test_who_is_silent_for_too_many_looks_is_killed_and_replaced() -> None:
    watch = Watch()
    async with running(child(), 1, watch, loop_stall=2.0) as fleet:
        await watch.until(lambda: len(watch.reports) == 1)
        pid = fleet.pids[0]
        for _ in range(8):
            fleet._look()
        await watch.until(lambda: len(watch.reports) == 2)
        assert fleet.pids != [pid]


async def test_a_command_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, tries = Watch(), 0
    again: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def fail(*_: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            again.set_result(None)
        raise FileNotFoundError("no such program")

    monkeypatch.setattr(NodeProcess, "start", fail)
    async with running(child(), 1, watch):
        await asyncio.wait_for(again, 60)
    assert watch.given_back == 0


def test_the_longer_it_fails_the_later_it_is_tried_again() -> None:
    assert [_delay(failures) for failures in (0, 1, 2, 3, 4, 100)] == [0.0, 0.0, 0.5, 1.0, 2.0, 30.0]
