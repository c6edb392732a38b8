"""P18: sequences."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.keys import GateRule, OnFailure
from ferryman.testing.history import Terms
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer
from tests.testing.test_check_gates import HOLD, PASS, finish, keyed

ONE = GateRule(concurrency=1)


@pytest.fixture(params=[True, False], ids=["exact", "not exact"])
def writer(request: pytest.FixtureRequest) -> Writer:
    return begin(exact=request.param)


@pytest.fixture
def exact() -> Writer:
    return begin(exact=True)


def begin(*, exact: bool) -> Writer:
    writer = Writer(exact=exact, terms=Terms(types=frozenset({"mail"})))
    writer.spawn("p1")
    writer.spawn("p2")
    return writer


# -- the order ---------------------------------------------------------------------------------------


def test_one_after_the_other_in_the_order_of_the_enqueues(writer: Writer) -> None:
    keyed(writer, "abc", HOLD)
    for job in "abc":
        writer.run(job)
    assert writer.broken() == []


def test_who_was_stored_first_is_claimed_first(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.run("b")
    writer.run("a")
    assert writer.broken() == ["P18"]
    told = "Job a was enqueued before job b and claimed after it, in the sequence k."
    assert writer.violations()[0].what == told


def test_of_two_that_meet_either_may_be_first() -> None:
    writer = begin(exact=False)
    for job in "ab":
        writer.ask(job, key="k", gate=HOLD)
    for job in "ab":
        writer.store(job)
        writer.answer(job)
    writer.run("b")
    writer.run("a")
    assert writer.broken() == []


@pytest.mark.parametrize("more", [{"scheduled": True}, {}])
def test_who_was_asked_for_at_a_later_time_comes_when_due(writer: Writer, more: dict[str, Any]) -> None:
    keyed(writer, "a", HOLD, **more)
    keyed(writer, "b", HOLD)
    writer.run("b")
    writer.run("a")
    assert writer.broken() == ([] if more else ["P18"])


def test_jobs_of_other_gates_go_as_they_like(writer: Writer) -> None:
    keyed(writer, "ab", ONE)
    writer.enqueue("c", key="another", gate=HOLD)
    writer.enqueue("d")
    for job in "dcba":
        writer.run(job)
    assert writer.broken() == []


def test_from_where_it_may_be_no_sequence_any_more_nothing_is_said(exact: Writer) -> None:
    keyed(exact, "abc", HOLD)
    exact.gate("set", GateRule(concurrency=3))
    exact.claim("b")
    exact.claim("c", "a")
    assert finish(exact) == []


# -- turns -------------------------------------------------------------------------------------------


def test_no_two_at_once(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.claim("a")
    writer.claim("b")
    assert finish(writer) == ["P17", "P18"]
    assert writer.violations()[1].what == "Run 1 of job b was claimed in the turn of job a, in the sequence k."


@pytest.mark.parametrize(("what", "status"), [("failed", "scheduled"), ("snoozed", "scheduled")])
def test_a_turn_lasts_over_retries_and_snoozes(writer: Writer, what: str, status: str) -> None:
    keyed(writer, "ab", HOLD)
    writer.run("a", what, status)
    writer.run("b")
    writer.run("a")
    assert writer.broken() == ["P18"]


def test_and_over_the_death_of_a_node(exact: Writer) -> None:
    keyed(exact, "ab", PASS)
    exact.claim("a")
    exact.note(e.Killed, process="p1")
    exact.rescue("a")
    exact.run("b", process="p2")
    exact.run("a", process="p2")
    assert exact.broken() == ["P18"]


def test_a_run_that_is_open_in_the_end_has_its_turn(writer: Writer) -> None:
    writer.terms = Terms()
    keyed(writer, "ab", HOLD)
    writer.claim("a")
    writer.claim("b")
    assert "P18" in writer.broken()


def test_so_has_a_later_run_of_a_job_that_was_let_go(exact: Writer) -> None:
    exact.terms = Terms()
    keyed(exact, "ab", PASS)
    exact.run("a", "failed", "failed")
    exact.retry("a")
    exact.claim("a")
    exact.claim("b")
    assert "Run 1 of job b was claimed in the turn of job a" in str(exact.violations()[-1])


@pytest.mark.parametrize("gate", [HOLD, PASS])
def test_who_is_completed_or_cancelled_lets_the_next_one_go(writer: Writer, gate: GateRule) -> None:
    keyed(writer, "abc", gate)
    writer.run("a")
    writer.run("b", "failed", "scheduled")
    writer.cancel("b")
    writer.run("c")
    assert writer.broken() == []


def test_who_has_failed_lets_the_next_one_go_where_failures_pass(writer: Writer) -> None:
    keyed(writer, "ab", PASS)
    writer.run("a", "failed", "failed")
    writer.run("b")
    assert writer.broken() == []


def test_and_holds_it_up_where_they_hold(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.run("a", "failed", "failed")
    writer.run("b")
    assert writer.broken() == ["P18"]


def test_until_a_person_lets_it_pass(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.run("a", "failed", "failed")
    writer.gate("pass", passed=("a",))
    writer.run("b")
    assert writer.broken() == []


def test_or_has_retried_it_and_it_has_ended(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.run("a", "failed", "failed")
    writer.retry("a")
    writer.run("a")
    writer.run("b")
    assert writer.broken() == []


def test_but_not_before_it_has(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.run("a", "failed", "failed")
    writer.retry("a")
    writer.run("b")
    writer.run("a")
    assert writer.broken() == ["P18"]


def test_a_pass_before_the_failure_is_none(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.gate("pass")
    writer.run("a", "failed", "failed")
    writer.run("b")
    assert writer.broken() == ["P18"]


def test_where_a_rule_may_let_it_pass_nothing_is_said(writer: Writer) -> None:
    keyed(writer, "a", HOLD)
    keyed(writer, "b", GateRule(strict=True, on_failure=OnFailure.PASS))
    writer.run("a", "failed", "failed")
    writer.run("b")
    assert writer.broken() == []


def test_a_turn_of_which_nobody_knows_the_end_ends_with_what_is_known(writer: Writer) -> None:
    keyed(writer, "ab", HOLD)
    writer.claim("a")
    writer.row("a", "lost", "failed")
    writer.run("b")
    assert writer.broken() == []
