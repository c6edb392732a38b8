"""P19: keys with shares take turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ferryman.domain.keys import GateRule
from ferryman.domain.state import Status
from ferryman.testing.history import Terms
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

FAIR = GateRule(share=1)
TERMS = Terms(types=frozenset({"mail"}))


@pytest.fixture
def writer() -> Writer:
    return begin()


def begin(*, exact: bool = True, overlapping: bool = False) -> Writer:
    writer = Writer(exact=exact, terms=msgspec.structs.replace(TERMS, overlapping=overlapping))
    writer.asks = 1
    writer.spawn("p1")
    writer.spawn("p2")
    return writer


def wait(writer: Writer, jobs: str, gate: GateRule | None = FAIR, **more: Any) -> None:
    """Jobs come before their gates; each is named for its key."""
    for job in jobs.split():
        writer.enqueue(job, **({"key": job[0], "gate": gate} | more))


def play(writer: Writer, jobs: str) -> None:
    """Each is claimed, runs and ends."""
    for job in jobs.split():
        writer.run(job)


def told(writer: Writer) -> list[tuple[str, ...]]:
    """The jobs of which P19 has something to say."""
    return [each.jobs for each in writer.violations() if each.promise == "P19"]


# -- turns -------------------------------------------------------------------------------------------


def test_one_after_the_other(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 a4 k1 k2 k3")
    play(writer, "a1 k1 a2 k2 a3 k3 a4")
    assert writer.broken() == []


def test_one_that_comes_twice_before_another_one_comes_again(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 a4 k1 k2 k3")
    play(writer, "a1 k1 a2 a3 k2 a4 k3")
    assert writer.broken() == ["P19"]
    (violation,) = writer.violations()
    assert (
        violation.what
        == "2 jobs of key a were claimed between jobs k1 and k2 of key k, 1 turns apart: 1 are its share."
    )
    assert violation.jobs == ("k1", "a2", "a3", "k2")


def test_so_it_is_with_those_of_one_claim(writer: Writer) -> None:
    wait(writer, "a0 a1 a2 k1 k2")
    play(writer, "a0")
    writer.claim("k1", "a1", "a2", "k2")
    assert told(writer) == [("k1", "a1", "a2", "k2")]


@pytest.mark.parametrize(
    ("share", "other", "most"),
    [(1, 1, 1), (1, 2, 2), (1, 3, 3), (2, 3, 2), (3, 1, 1), (7, 1, 1), (17, 17, 1), (17, 51, 4)],
)
def test_shares_are_weights_and_a_part_of_a_turn_is_one(share: int, other: int, most: int) -> None:
    for extra in (0, 1):
        writer = begin()
        between = " ".join(f"a{n}" for n in range(1, 1 + most + extra))
        wait(writer, f"a0 {between}", GateRule(share=other))
        wait(writer, "k1 k2", GateRule(share=share))
        play(writer, f"a0 k1 {between} k2")
        assert bool(told(writer)) == bool(extra)


def test_over_several_turns_parts_add_up(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 a4")
    wait(writer, "k1 k2 k3 k4 k5 k6 k7", GateRule(share=3))
    play(writer, "a1 k1 k2 k3 a2 k4 k5 k6 a3 k7 a4")
    assert writer.broken() == []
    writer = begin()
    wait(writer, "a1 a2 a3 a4")
    wait(writer, "k1 k2 k3 k4 k5 k6 k7", GateRule(share=3))
    play(writer, "a1 k1 k2 k3 k4 a2 k5 a3 k6 a4 k7")
    (violation,) = writer.violations()
    assert (
        violation.what
        == "2 jobs of key a were claimed between jobs k4 and k6 of key k, 2 turns apart: 1 are its share."
    )
    assert violation.jobs == ("k4", "a2", "a3", "k6")


def test_each_other_key_is_counted_for_itself(writer: Writer) -> None:
    wait(writer, "a1 a2 b1 b2 k1 k2 c1 c2")
    play(writer, "a1 k1 a2 b1 c1 k2 b2 c2")
    assert writer.broken() == []
    writer = begin()
    wait(writer, "a1 a2 a3 b1 b2 k1 k2")
    play(writer, "a1 k1 a2 b1 a3 b2 k2")
    assert told(writer) == [("k1", "a2", "a3", "k2"), ("k1", "b1", "b2", "k2")]


def test_jobs_of_other_lanes_and_of_no_such_key_may_come_between(writer: Writer) -> None:
    wait(writer, "a1 k1 k2")
    wait(writer, "a2 a3", priority=4)
    wait(writer, "b1 b2", GateRule())
    wait(writer, "x1 x2", key=None, gate=None)
    play(writer, "a1 k1 a2 a3 b1 b2 x1 x2 k2")
    assert writer.broken() == []


# -- who has more waiting ------------------------------------------------------------------------------


def test_who_came_later_was_not_waiting(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 k1")
    play(writer, "a1 k1")
    wait(writer, "k2")
    play(writer, "a2 a3 k2")
    assert writer.broken() == []


@pytest.mark.parametrize(("asks", "broken"), [(1, True), (2, True), (3, False)])
def test_what_stood_ready_may_have_been_drawn_before_the_other_one_came(asks: int, broken: bool) -> None:
    writer = begin()
    writer.asks = asks
    wait(writer, "a1 a2 a3 a4 k1 k2")
    play(writer, "a1 a2 k1 a3 a4 k2")
    assert bool(told(writer)) == broken


def test_who_is_claimed_behind_a_job_was_drawn_when_that_had_come(writer: Writer) -> None:
    writer.asks = 20
    wait(writer, "k1 k2 k3 a1 a2 a3 a4")
    play(writer, "a1 k1 a2 a3 k2 a4 k3")
    assert told(writer) == [("k1", "a2", "a3", "k2")]


def test_how_much_an_earlier_claim_may_have_drawn_must_be_known(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 a4 k1 k2 k3")
    play(writer, "a1 k1 a2 a3 k2 a4")
    writer.asks = 0
    play(writer, "k3")
    assert writer.broken() == []


def test_who_asked_for_a_later_time_was_not_waiting(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 k1")
    wait(writer, "k2", scheduled=True)
    play(writer, "a1 k1 a2 a3 k2")
    assert writer.broken() == []


def test_where_nobody_knows_when_it_was_stored_nothing_is_said(writer: Writer) -> None:
    wait(writer, "a1 a2 a3 k1 k2")
    play(writer, "a1 k1 a2 a3 k2")
    writer.entries = [each for each in writer.entries if not (isinstance(each, e.Inserted) and each.jobs == ["k2"])]
    assert told(writer) == []


# -- what is not decided -------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [{"exact": False}, {"overlapping": True}])
def test_of_other_histories_nothing_is_said(terms: dict[str, bool]) -> None:
    writer = begin(**terms)
    wait(writer, "a1 a2 a3 k1 k2")
    play(writer, "a1 k1 a2 a3 k2")
    assert writer.broken() == []


@pytest.mark.parametrize(
    "gate",
    [None, GateRule(concurrency=9), GateRule(share=1, concurrency=9), GateRule(share=1, rate=9.0, burst=9)],
)
@pytest.mark.parametrize("whose", ["a", "k"])
def test_keys_with_other_rules_are_left_out(writer: Writer, gate: GateRule | None, whose: str) -> None:
    wait(writer, "a1 a2 a3", gate if whose == "a" else FAIR)
    wait(writer, "k1 k2", gate if whose == "k" else FAIR)
    play(writer, "a1 k1 a2 a3 k2")
    assert told(writer) == []


def again(what: str, status: str) -> Callable[[Writer], object]:
    """Another job of the key runs, and comes back or not."""

    def come(writer: Writer) -> None:
        wait(writer, "k0")
        writer.run("k0", what, status)

    return come


def retried(writer: Writer) -> None:
    again("failed", "failed")(writer)
    writer.retry("k0")


def lost(writer: Writer) -> None:
    wait(writer, "k0")
    writer.claim("k0")
    writer.rescue("k0")


def cancelled(writer: Writer) -> None:
    wait(writer, "k0")
    writer.cancel("k0")


def left_waiting(writer: Writer) -> None:
    wait(writer, "k0")
    writer.alter("k0", status=Status.WAITING)


KEEPS: list[Callable[[Writer], object]] = [
    lambda writer: writer.gate("resume"),
    lambda writer: writer.gate("set", FAIR),
    again("done", "completed"),
    again("failed", "failed"),
    again("released", "pending"),
    lost,
    left_waiting,
]
CHANGES: list[Callable[[Writer], object]] = [
    lambda writer: writer.gate("set", GateRule(share=2)),
    lambda writer: writer.gate("set", GateRule()),
    lambda writer: writer.gate("pause"),
    again("failed", "scheduled"),
    again("snoozed", "scheduled"),
    retried,
    cancelled,
]


@pytest.mark.parametrize(
    ("change", "counts"), [*((each, True) for each in KEEPS), *((each, False) for each in CHANGES)]
)
def test_a_key_counts_as_long_as_its_turns_are_all_to_be_seen(
    writer: Writer, change: Callable[[Writer], object], counts: bool
) -> None:
    wait(writer, "a1 a2 a3 k1 k2")
    change(writer)
    play(writer, "a1 k1 a2 a3 k2")
    assert bool(told(writer)) == counts


@pytest.mark.parametrize("change", CHANGES)
def test_and_so_it_is_when_that_changes_in_between(writer: Writer, change: Callable[[Writer], object]) -> None:
    wait(writer, "a1 a2 a3 k1 k2")
    play(writer, "a1 k1 a2 a3")
    change(writer)
    play(writer, "k2")
    assert told(writer) == []


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_later_excuses_nothing(writer: Writer, change: Callable[[Writer], object]) -> None:
    wait(writer, "a1 a2 a3 k1 k2")
    play(writer, "a1 k1 a2 a3 k2")
    change(writer)
    assert told(writer) == [("k1", "a2", "a3", "k2")]


def test_a_rule_of_a_person_counts_from_before_the_first_job_on(writer: Writer) -> None:
    writer.gate("set", GateRule(share=2))
    wait(writer, "k1 k2 k3 a1 a2 a3 a4")
    play(writer, "k1 a1 k2 a2 k3 a3 a4")
    assert writer.broken() == []
    writer = begin()
    writer.gate("set", GateRule(share=2))
    wait(writer, "k1 k2 k3 k4 a1 a2")
    play(writer, "k1 a1 k2 k3 k4 a2")
    assert told(writer) == [("a1", "k2", "k3", "k4", "a2")]


def test_who_has_no_job_may_be_forgotten_with_its_turns(writer: Writer) -> None:
    wait(writer, "b1 k1 k2")
    play(writer, "b1 k1")
    for job in ("a1", "a2"):
        wait(writer, job)
        play(writer, job)
    play(writer, "k2")
    assert writer.broken() == []


def test_who_has_one_for_later_may_be_forgotten_too(writer: Writer) -> None:
    wait(writer, "b1 k1 k2")
    wait(writer, "a2", scheduled=True)
    wait(writer, "a1")
    play(writer, "b1 k1 a1 a2 k2")
    assert writer.broken() == []


def test_who_always_has_one_is_not_forgotten(writer: Writer) -> None:
    wait(writer, "b1 k1 k2")
    play(writer, "b1 k1")
    wait(writer, "a1 a2")
    play(writer, "a1 a2 k2")
    assert told(writer) == [("k1", "a1", "a2", "k2")]
