"""Which situations a history reached."""

from __future__ import annotations

import pytest

from ferryman.testing.history import ON_A_SERVER, SOMETIMES, WITH_TRANSACTIONS, sometimes
from tests.testing import gate_situations, run_situations
from tests.testing.histories import Writer
from tests.testing.run_situations import Play


def begin() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    writer.spawn("p2")
    writer.enqueue()
    return writer


REACHING = [*run_situations.REACHED, *gate_situations.REACHED]


@pytest.mark.parametrize(("name", "reach"), REACHING, ids=[f"{name} {at}" for at, (name, _) in enumerate(REACHING)])
def test_a_situation_is_seen_where_it_was_and_nowhere_else(name: str, reach: Play) -> None:
    writer = begin()
    assert name not in sometimes(writer.history)
    reach(writer)
    assert sometimes(writer.history)[name] == 1


@pytest.mark.parametrize(("name", "miss"), [*run_situations.MISSED, *gate_situations.MISSED])
def test_what_is_nearly_a_situation_is_none(name: str, miss: Play) -> None:
    writer = begin()
    miss(writer)
    assert name not in sometimes(writer.history)


def test_every_situation_is_reached_here() -> None:
    assert {name for name, _ in REACHING} == set(SOMETIMES)


def test_what_only_some_stores_can_do_is_a_situation() -> None:
    assert SOMETIMES.keys() > WITH_TRANSACTIONS | ON_A_SERVER


def test_a_plain_life_is_no_situation() -> None:
    writer = begin()
    writer.run("a", "failed", "scheduled")
    writer.claim("a")
    writer.start()
    writer.follow("b")
    writer.end()
    writer.write()
    writer.brought("b")
    assert sometimes(writer.history) == {}
