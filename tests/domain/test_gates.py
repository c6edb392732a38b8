from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ferryman.domain.gates import MOST, Crowd, Gate, Newest, due, entered, offered, refilled, room, ruled
from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.state import Status

RATE = GateRule(rate=2.0, burst=3)
ONE = GateRule(concurrency=1)


def rated(rule: GateRule = RATE, *, now: int = 0) -> Gate:
    """A new gate with a rate."""
    return ruled(Gate(), rule, Crowd(), now)


# -- the bound -------------------------------------------------------------------------------------


@given(
    rate=st.sampled_from([0.1, 1.0, 3.0, 10.0, 100.0]),
    burst=st.integers(1, 20),
    steps=st.lists(
        st.tuples(
            st.integers(0, 3 * MICROS),  # how much later
            st.booleans(),  # somebody lets in
            st.integers(0, 30),  # how many are claimed, as far as there are so many
            st.integers(0, 3),  # how many leave unclaimed
            st.integers(0, 40),  # how many wait
        ),
        max_size=40,
    ),
)
def test_in_any_window_there_are_at_most_rate_times_its_length_and_burst_claims(
    rate: float, burst: int, steps: list[tuple[int, bool, int, int, int]]
) -> None:
    gate = rated(GateRule(rate=rate, burst=burst))
    now, unclaimed, claims = 0, 0, list[tuple[int, int]]()
    for later, looks, claimed, leaving, waiting in steps:
        now += later
        if looks:
            crowd = Crowd(unclaimed, unclaimed)
            gate = refilled(gate, now)
            count = min(room(gate, crowd), waiting)
            gate = entered(gate, crowd, count)
            unclaimed += count
            assert gate.level + gate.standing <= burst + 1e-9
        taken = min(claimed, unclaimed)
        unclaimed -= taken
        claims.append((now, taken))
        unclaimed -= min(leaving, unclaimed)
    for first, (begin, _) in enumerate(claims):
        inside = 0
        for end, count in claims[first:]:
            inside += count
            assert inside <= burst + rate * (end - begin) / MICROS + 1e-6


@given(rate=st.floats(0.01, 1000), burst=st.integers(1, 50), seconds=st.integers(10, 100))
def test_who_is_claimed_at_once_is_let_in_at_nearly_the_rate(rate: float, burst: int, seconds: int) -> None:
    """By looks that come when they are said to be due."""
    gate, now, count = rated(GateRule(rate=rate, burst=burst)), 0, 0
    for _ in range(5_000):
        gate = refilled(gate, now)
        entering = room(gate, Crowd())
        gate = entered(gate, Crowd(), entering)
        count += entering
        following = due(gate, Crowd(), entering, more=True, now=now)
        assert following is not None
        assert following > now
        now = following
        if now > seconds * MICROS:
            break
    # what was let in at one look is known to be claimed at the next one only
    assert count >= math.floor(0.79 * rate * now / MICROS) - 1


# -- tokens ----------------------------------------------------------------------------------------


def test_a_new_gate_has_all_of_its_burst() -> None:
    gate = rated()
    assert room(gate, Crowd()) == 3
    assert room(entered(gate, Crowd(), 3), Crowd(3, 3)) == 0


def test_time_brings_tokens_and_a_clock_that_goes_back_takes_none() -> None:
    gate = replace(rated(now=MICROS), level=0.0)
    assert refilled(gate, 2 * MICROS).level == 2.0
    assert refilled(gate, 100 * MICROS).level == 3.0
    assert refilled(gate, 0) == gate


def test_a_gate_without_a_rate_keeps_no_books() -> None:
    gate = Gate(ONE)
    assert refilled(gate, 5) is gate
    assert entered(gate, Crowd(1, 1), 1) is gate


# -- room ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "slots", "expected"),
    [
        (GateRule(), 5000, MOST),
        (GateRule(concurrency=3), 1, 2),
        (GateRule(concurrency=3), 5, 0),
        (GateRule(strict=True), 0, 1),
        (GateRule(strict=True, concurrency=7), 1, 0),
        (RATE, 100, 3),
        (GateRule(rate=2.0, burst=3, concurrency=2), 1, 1),
    ],
)
def test_there_is_room_for(rule: GateRule, slots: int, expected: int) -> None:
    gate = ruled(Gate(), rule, Crowd(), 0)
    assert room(gate, Crowd(slots)) == expected
    assert room(replace(gate, paused=True), Crowd(slots)) == 0


# -- when to look again ----------------------------------------------------------------------------


def test_a_token_says_when_to_look_again() -> None:
    gate = entered(rated(now=7), Crowd(), 3)
    assert due(replace(gate, standing=2), Crowd(), 3, more=True, now=7) == 7 + MICROS // 2
    # those three have to be seen to be claimed first
    assert due(gate, Crowd(), 3, more=True, now=7) == 7 + MICROS // 8
    assert due(gate, Crowd(), 3, more=False, now=7) is None
    assert due(replace(gate, paused=True), Crowd(), 3, more=True, now=7) is None
    assert due(replace(gate, level=-1.0, standing=0), Crowd(), 0, more=True, now=7) == 7 + MICROS


def test_of_a_full_gate_the_end_of_a_run_will_tell() -> None:
    rule = GateRule(rate=2.0, burst=3, concurrency=1)
    gate = ruled(Gate(), rule, Crowd(), 0)
    assert due(entered(gate, Crowd(), 1), Crowd(), 1, more=True, now=0) is None
    assert due(Gate(ONE), Crowd(1), 0, more=True, now=0) is None


def test_after_as_many_as_go_at_once_there_may_be_more_at_once() -> None:
    assert due(Gate(), Crowd(), MOST, more=True, now=9) == 9
    assert due(Gate(), Crowd(), MOST - 1, more=True, now=9) is None
    assert due(Gate(), Crowd(), MOST, more=False, now=9) is None


# -- rules -----------------------------------------------------------------------------------------


def test_the_newest_job_brings_the_rule_unless_a_person_said_otherwise() -> None:
    gate = offered(Gate(), Newest("b", ONE), Crowd(), 0)
    assert (gate.rule, gate.ruled_by) == (ONE, "b")
    assert offered(gate, None, Crowd(), 0) is gate
    assert offered(gate, Newest("a", RATE), Crowd(), 0) is gate
    assert offered(gate, Newest("c", ONE), Crowd(), 0) is gate
    assert offered(gate, Newest("c", RATE), Crowd(), 0).rule == RATE
    pinned = replace(gate, pinned=True)
    assert offered(pinned, Newest("c", RATE), Crowd(), 0) is pinned


@given(
    rules=st.lists(st.tuples(st.sampled_from([1.0, 5.0, 100.0]), st.integers(1, 30)), min_size=1, max_size=20),
    burst=st.integers(1, 30),
)
def test_no_change_of_a_rate_gives_tokens(rules: list[tuple[float, int]], burst: int) -> None:
    gate = entered(rated(GateRule(rate=1.0, burst=burst)), Crowd(), burst)
    crowd = Crowd(burst, burst)
    for rate, most in rules:
        gate = ruled(gate, GateRule(rate=rate, burst=most), crowd, 0)
        assert room(gate, crowd) == 0
        assert gate.level + gate.standing <= most


def test_the_first_rate_counts_those_who_stand_in_their_lanes_already() -> None:
    gate = ruled(Gate(ONE), RATE, Crowd(5, 2), 11)
    assert (gate.level, gate.standing, gate.at) == (1.0, 2, 11)
    assert ruled(gate, RATE, Crowd(), 50) is gate
    assert ruled(gate, ONE, Crowd(), 50) == Gate(ONE, at=11)


def test_a_gate_is_as_new_once_its_tokens_are_back() -> None:
    assert Gate(ONE).as_new(0)
    assert not Gate(ONE, pinned=True).as_new(0)
    assert not Gate(ONE, paused=True).as_new(0)
    gate = entered(rated(), Crowd(), 3)
    assert not gate.as_new(100 * MICROS)  # nobody has seen yet that they were claimed
    seen = entered(refilled(gate, 0), Crowd(), 0)
    assert not seen.as_new(MICROS)
    assert seen.as_new(3 * MICROS // 2)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (GateRule(), "pending"),
        (ONE, "pending"),
        (RATE, ""),
        (GateRule(strict=True), "pending scheduled failed"),
        (GateRule(strict=True, on_failure=OnFailure.PASS), "pending scheduled"),
    ],
)
def test_a_job_keeps_its_slot_when_its_run_leads_to(rule: GateRule, kept: str) -> None:
    assert {status.value for status in Status if rule.keeps_slot(status)} == set(kept.split())
