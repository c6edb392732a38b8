"""The middle of a transaction: who is there says so, and hears what is to happen."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.middle import DIE, STAY, Middle, reached


@pytest.fixture
def middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Middle]:
    middle = Middle(tmp_path)
    for name, value in middle.environ.items():
        monkeypatch.setenv(name, value)
    yield middle
    middle.close()


def test_each_who_is_there_is_heard(middle: Middle) -> None:
    assert not reached()
    assert not reached()
    assert middle.hear(2)
    assert not middle.hear(1)


def test_one_stays_for_each_order_and_says_so(middle: Middle) -> None:
    assert not middle.stays()
    middle.order(STAY)
    assert reached()
    assert not reached()
    assert middle.stays()
    assert not middle.stays()


def test_an_order_that_was_taken_back_is_for_nobody(middle: Middle) -> None:
    middle.order(STAY)
    middle.take_back()
    middle.take_back()
    assert not reached()


def test_who_is_to_die_dies_there(middle: Middle) -> None:
    middle.order(DIE)
    process = multiprocessing.get_context("spawn").Process(target=reached)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert middle.hear(1)


def test_where_nobody_listens_nothing_is_said() -> None:
    assert not reached()
