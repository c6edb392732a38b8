"""A process dies where it is told to, and nowhere else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ferryman.testing.history.entries import IN_FLIGHT, Killed
from tests.chaos.journal import NEMESIS, Journal, read
from tests.chaos.triggers import POINTS, Triggers, parse, spell


class Death(Exception):
    """What happens here instead of SIGKILL."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Whom somebody would have killed, and how."""
    found: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        found.append((pid, number))
        raise Death

    monkeypatch.setattr(os, "kill", kill)
    return found


@pytest.fixture
def triggers(tmp_path: Path) -> Triggers:
    return Triggers(Journal(tmp_path, "a.1"))


def test_every_class_of_deaths_has_a_point() -> None:
    assert set(POINTS.values()) == set(IN_FLIGHT)


@pytest.mark.parametrize("point", POINTS)
def test_what_is_spelled_can_be_parsed(point: str) -> None:
    assert parse(spell(point, 3)) == (point, 3)


@pytest.mark.parametrize("line", ["", "3", "before commit", "3 after lunch", "x before commit"])
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"point|int"):
        parse(line)


def test_who_is_told_nothing_lives(triggers: Triggers) -> None:
    for point in POINTS:
        triggers.reach(point)


def test_a_process_dies_at_its_point(triggers: Triggers, killed: list[tuple[int, int]], tmp_path: Path) -> None:
    triggers.arm("before commit", 0)
    triggers.reach("claim done")
    with pytest.raises(Death):
        triggers.reach("before commit")
    assert killed == [(os.getpid(), signal.SIGKILL)]
    (entry,) = read(tmp_path)
    assert isinstance(entry, Killed)
    assert (entry.by, entry.process, entry.during) == (NEMESIS, "a.1", "in transaction")


def test_a_point_may_be_passed_first(triggers: Triggers, killed: list[tuple[int, int]]) -> None:
    triggers.arm("claim done", 2)
    for _ in range(2):
        triggers.reach("claim done")
    assert killed == []
    with pytest.raises(Death):
        triggers.reach("claim done")


def test_a_process_whose_campaign_is_gone_ends(triggers: Triggers, killed: list[tuple[int, int]]) -> None:
    with pytest.raises(Death):
        triggers.listen([spell("claim done", 5)])
    assert killed == [(os.getpid(), signal.SIGKILL)]
