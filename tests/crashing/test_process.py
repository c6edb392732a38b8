"""A forked process stands still, is frozen, goes on, and ends."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from ferryman.crashing.line import Broken, ChildEnd, Stands
from ferryman.crashing.process import Process

PATIENCE = 30


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    yield started
    for each in started:
        each.close()


def start(processes: list[Process], play: Callable[[ChildEnd], object]) -> Process:
    def and_end(line: ChildEnd) -> NoReturn:
        play(line)
        os._exit(0)

    process = Process(time.monotonic)
    process.start(and_end, processes)
    processes.append(process)
    return process


def hear(process: Process) -> object:
    return process.hear(time.monotonic() + PATIENCE)


def tells_its_number(line: ChildEnd) -> None:
    line.tell(Broken(str(os.getpid())))
    went_on = line.stand()
    line.tell(Broken(f"went on: {went_on}"))


def number(process: Process) -> int:
    told = hear(process)
    assert isinstance(told, Broken)
    return int(told.why)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_stands_until_it_is_told_to_go_on(processes: list[Process]) -> None:
    process = start(processes, tells_its_number)
    number(process)
    assert hear(process) == Stands()
    process.line.go()
    assert hear(process) == Broken("went on: True")
    assert hear(process) is None, "it has ended"


def test_it_is_frozen_with_all_its_threads_until_it_is_thawed(processes: list[Process]) -> None:
    process = start(processes, tells_its_number)
    pid = number(process)
    assert hear(process) == Stands()
    process.freeze()
    assert state(pid) == "T"
    process.line.go()
    with pytest.raises(TimeoutError):
        process.hear(time.monotonic())
    assert state(pid) == "T"
    process.thaw()
    assert hear(process) == Broken("went on: True")


def test_one_that_has_ended_by_itself_can_be_frozen_and_thawed(processes: list[Process]) -> None:
    process = start(processes, lambda line: line.tell(Broken(str(os.getpid()))))
    pid = number(process)
    assert hear(process) is None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    process.freeze()
    process.line.go()
    process.thaw()
    assert hear(process) is None


def test_a_killed_one_is_dead_at_once_and_keeps_its_number(processes: list[Process]) -> None:
    process = start(processes, tells_its_number)
    pid = number(process)
    process.kill()
    assert state(pid) == "Z"
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_hears_that_nobody_is_there_though_others_were_forked_since(processes: list[Process]) -> None:
    """The one forked later has inherited this end of the first one's line, and has to close it."""
    first, last = os.pipe()

    def stands(line: ChildEnd) -> None:
        os.write(last, b"1" if line.stand() else b"0")

    process = start(processes, stands)
    start(processes, tells_its_number)
    assert hear(process) == Stands()
    process.line.close()
    ready, _, _ = select.select([first], [], [], PATIENCE)
    assert ready
    assert os.read(first, 1) == b"0"
    os.close(first)
    os.close(last)


def test_what_raises_in_it_does_not_come_back(processes: list[Process]) -> None:
    def breaks(line: ChildEnd) -> None:
        raise RuntimeError

    here = os.getpid()
    process = start(processes, breaks)
    assert hear(process) is None
    assert os.getpid() == here


def test_it_is_out_of_the_reach_of_ctrl_c(processes: list[Process]) -> None:
    assert os.getpgid(number(start(processes, tells_its_number))) != os.getpgrp()


def test_closing_twice_or_before_the_start_does_nothing(processes: list[Process]) -> None:
    Process(time.monotonic).close()
    process = start(processes, tells_its_number)
    process.close()
    process.close()
