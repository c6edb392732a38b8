"""Who dies where: the orders of a node process, and how a campaign finds the processes that are left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ferryman.testing.history.entries import IN_FLIGHT, Killed
from tests.chaos.journal import Journal, read
from tests.chaos.marked import MARK, end, marked
from tests.chaos.orders import (
    ALL,
    ANY_TIME,
    BOTH,
    CHILD,
    IDLE,
    JUST_STARTED,
    MOMENTS,
    NEWBORN,
    PARENT,
    Orders,
    living,
    spell,
    tell,
)


class Deaths:
    """Whom the process under test would have killed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pids: list[int] = []
        self.folder = folder
        monkeypatch.setattr(os, "kill", self._kill)

    def _kill(self, pid: int, number: int) -> None:
        assert number == signal.SIGKILL
        self.pids.append(pid)

    @property
    def noted(self) -> list[tuple[str, str | None]]:
        return [(each.process, each.during) for each in read(self.folder) if isinstance(each, Killed)]


@pytest.fixture
def deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deaths:
    return Deaths(tmp_path, monkeypatch)


def orders(folder: Path, name: str | None = None) -> Orders:
    return Orders(Journal(folder, name or f"s.1-{os.getpid()}"), folder)


def test_there_is_a_point_for_every_moment() -> None:
    assert set(MOMENTS.values()) == {*IN_FLIGHT, JUST_STARTED, IDLE, ANY_TIME}


@pytest.mark.parametrize(
    ("victims", "pids"),
    [
        (CHILD, [os.getpid()]),
        (PARENT, [os.getppid()]),
        (BOTH, [os.getppid(), os.getpid()]),
        (ALL, [os.getppid(), 4711, os.getpid()]),
    ],
)
def test_the_order_says_who_dies_and_the_one_that_was_asked_dies_last(
    tmp_path: Path, deaths: Deaths, victims: str, pids: list[int]
) -> None:
    sibling = orders(tmp_path, "s.1-4711")
    stranger = orders(tmp_path, "s.2-4712")
    mine = orders(tmp_path)
    mine.obey(spell(victims, 1, "claim done"))
    mine.reach("finish asked")
    mine.reach("claim done")
    assert deaths.pids == [], "one pass is free"
    mine.reach("claim done")
    mine.reach("claim done")
    assert deaths.pids == pids, "once"
    names = {os.getpid(): f"s.1-{os.getpid()}", os.getppid(): "s.1", 4711: "s.1-4711"}
    assert sorted(deaths.noted) == sorted((names[pid], "claimed") for pid in pids)
    for each in (sibling, stranger, mine):
        os.close(each._descriptor)


@pytest.mark.parametrize("point", [IDLE, ANY_TIME])
def test_some_orders_hold_at_once(tmp_path: Path, deaths: Deaths, point: str) -> None:
    mine = orders(tmp_path)
    mine.obey(spell(CHILD, 0, point))
    assert deaths.noted == [(f"s.1-{os.getpid()}", point)]
    os.close(mine._descriptor)


def test_the_first_that_is_born_takes_what_waits_for_it(tmp_path: Path, deaths: Deaths) -> None:
    (tmp_path / NEWBORN).write_text(spell(CHILD, 0, "node registered"))
    first, second = orders(tmp_path), orders(tmp_path, "s.1-4711")
    second.reach("node registered")
    assert deaths.pids == []
    first.reach("node registered")
    assert deaths.pids == [os.getpid()]
    for each in (first, second):
        os.close(each._descriptor)


def test_only_a_living_process_can_be_told(tmp_path: Path, deaths: Deaths) -> None:
    mine = orders(tmp_path)
    (pipe,) = living(tmp_path, "s.1")
    assert tell(pipe, spell(CHILD, 0, IDLE))
    os.close(mine._descriptor)
    assert not tell(pipe, "")
    assert living(tmp_path, "s.1") == []


def test_processes_are_found_by_their_mark_until_they_have_ended(tmp_path: Path) -> None:
    environment = os.environ | {MARK: str(tmp_path)}
    code = "import os, sys; pid = os.fork(); pid or os.setsid(); sys.stdout.write('up\\n'); sys.stdout.flush(); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert [child.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]
        found = marked(str(tmp_path))
        assert child.pid in found
        assert len(found) == 2, "the one that it forked is its kin, in whatever session"
        end(str(tmp_path))
        child.stdout.read()  # until both have let go of it
    assert child.pid not in marked(str(tmp_path))
    assert marked(f"{tmp_path}/other") == []
