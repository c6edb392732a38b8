"""The control group of a campaign: who is in it when, its limit, its kills, and where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos import memory
from tests.chaos.memory import MEMBERS, Group, available


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the controller; the kernel would make the files of a group by itself."""
    monkeypatch.setattr(memory, "ROOT", tmp_path)
    monkeypatch.setattr(memory, "_own", lambda: tmp_path)
    return tmp_path


def test_what_is_started_inside_belongs_to_the_group_and_the_caller_returns(root: Path) -> None:
    group = Group(100)
    folder = root / f"ferryman-{os.getpid()}"
    assert (folder / "memory.limit_in_bytes").read_text() == "100M"
    with group.inside():
        assert (folder / MEMBERS).read_text() == str(os.getpid())
        assert not (root / MEMBERS).exists()
    assert (root / MEMBERS).read_text() == str(os.getpid())


def test_its_kills_are_counted(root: Path) -> None:
    group = Group(100)
    (root / f"ferryman-{os.getpid()}" / "memory.oom_control").write_text(
        "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
    )
    assert group.kills == 3


def test_there_is_none_where_the_controller_is_not_to_be_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not available()
    (root / MEMBERS).touch()
    assert available()
    monkeypatch.setattr(memory, "_own", lambda: None)
    assert not available()
