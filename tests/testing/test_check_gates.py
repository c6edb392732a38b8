"""P17: the gates of keys, over all claims; and P2: who waits before one for ever."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.state import Status
from ferryman.testing.history import Terms, story
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

ONE = GateRule(concurrency=1)
TWO = GateRule(concurrency=2)
RATE = GateRule(rate=0.05, burst=2)
HOLD = GateRule(strict=True)
PASS = GateRule(strict=True, on_failure=OnFailure.PASS)


@pytest.fixture(params=[True, False], ids=["exact", "not exact"])
def writer(request: pytest.FixtureRequest) -> Writer:
    return begin(exact=request.param)


@pytest.fixture
def exact() -> Writer:
    return begin(exact=True)


@pytest.fixture
def loose() -> Writer:
    return begin(exact=False)


def begin(*, exact: bool) -> Writer:
    writer = Writer(exact=exact, terms=Terms(types=frozenset({"mail"}), apart=0.0))
    writer.spawn("p1")
    writer.spawn("p2")
    return writer


def keyed(writer: Writer, jobs: str, gate: GateRule | None = ONE, **more: Any) -> None:
    for job in jobs:
        writer.enqueue(job, key="k", gate=gate, **more)


def end(writer: Writer, *jobs: str) -> None:
    for job in jobs:
        writer.start(job)
        writer.end(job)
        writer.write(job)


def finish(writer: Writer) -> list[str]:
    """Everything that is claimed comes to its end, and then all others, one by one; the promises that are broken."""
    end(writer, *(job for job, _ in list(writer.open)))
    for job, found in list(writer.jobs.items()):
        if found.status is Status.PENDING:
            writer.run(job)
    return writer.broken()


# -- concurrency -------------------------------------------------------------------------------------


def test_more_at_once_than_there_are_slots(writer: Writer) -> None:
    keyed(writer, "ab")
    writer.claim("a")
    writer.claim("b")
    assert finish(writer) == ["P17"]
    violation = writer.violations()[0]
    assert "2 jobs of key k were claimed at once, and its gate has 1 slots at most" in violation.what
    assert "asks for job a: mail in default, max_attempts 3, key k, 1 at once" in story(writer.history, violation)


def test_as_many_as_there_are_slots_one_after_the_other(writer: Writer) -> None:
    keyed(writer, "abc", TWO)
    writer.claim("a", "b")
    end(writer, "a")
    writer.claim("c")
    assert finish(writer) == []


def test_two_of_one_claim_are_two_at_once(writer: Writer) -> None:
    keyed(writer, "ab")
    writer.claim("a", "b")
    assert finish(writer) == ["P17"]


def test_a_job_that_comes_back_is_one_job(exact: Writer) -> None:
    keyed(exact, "ab")
    exact.claim("a")
    exact.note(e.Killed, process="p1")
    exact.rescue("a")
    exact.run("a", process="p2")
    exact.run("b", process="p2")
    assert exact.broken() == []


def test_of_whose_end_nobody_knows_does_not_count(loose: Writer) -> None:
    keyed(loose, "ab")
    loose.claim("a")
    loose.claim("b")
    loose.row("a", "lost", "failed")
    assert finish(loose) == []


def test_of_whose_end_nobody_knows_counts_when_it_is_claimed(exact: Writer) -> None:
    keyed(exact, "ab")
    exact.claim("a")
    exact.claim("b")
    exact.row("b", "cancelled", "cancelled")
    assert finish(exact) == ["P17"]


def test_without_a_bound_and_without_a_rule_any_number_goes(writer: Writer) -> None:
    keyed(writer, "ab", None)
    writer.claim("a", "b")
    assert finish(writer) == []


def test_the_widest_rule_counts_that_jobs_may_have_brought(writer: Writer) -> None:
    keyed(writer, "a", TWO)
    keyed(writer, "b", ONE)
    writer.claim("a", "b")
    assert finish(writer) == []


def test_a_rule_of_a_person_goes_before_that_of_jobs(exact: Writer) -> None:
    keyed(exact, "z", TWO)
    exact.gate("set", ONE)
    keyed(exact, "ab", TWO)
    exact.claim("a", "b")
    assert finish(exact) == ["P17"]


def test_it_is_pinned_until_it_is_unset_and_one_more_set_changes_that(exact: Writer) -> None:
    exact.gate("unset")
    exact.gate("set", ONE)
    exact.gate("set", ONE)
    exact.gate("unset")
    exact.note(e.KeyTook, "p1", key="another", wish="set", rule=ONE)
    keyed(exact, "ab", TWO)
    exact.claim("a", "b")
    assert finish(exact) == []


def test_what_was_let_in_before_the_rule_changed_goes_on(exact: Writer) -> None:
    keyed(exact, "ab", TWO)
    exact.gate("set", ONE)
    exact.claim("a", "b")
    assert finish(exact) == []


def test_where_nobody_knows_when_it_took_effect_any_rule_may_be_in_force(loose: Writer) -> None:
    keyed(loose, "a", ONE)
    loose.gate("set", TWO)
    loose.gate("set", ONE)
    keyed(loose, "b", ONE)
    loose.claim("a", "b")
    assert finish(loose) == []


def test_a_story_tells_what_people_asked_of_the_gate(exact: Writer) -> None:
    exact.gate("set", HOLD)
    exact.gate("set", RATE, done=False)
    exact.gate("pass", passed=("b",))
    keyed(exact, "ab")
    exact.claim("a", "b")
    finish(exact)
    told = story(exact.history, exact.violations()[0])
    assert "client: asks to set the rule of key k, 1 at once in sequence, on failure hold" in told
    assert "client: asks to set the rule of key k, 0.05 in a second, 2 at most at once" in told
    assert "client: is told no change of key k" in told
    assert "p1: here it takes effect to let pass the sequence of key k, without job b" in told


# -- pauses ------------------------------------------------------------------------------------------


def test_who_was_asked_for_after_the_pause_is_not_claimed(writer: Writer) -> None:
    writer.gate("pause")
    keyed(writer, "a")
    writer.claim("a")
    writer.gate("resume")
    assert finish(writer) == ["P17"]
    assert (
        "Run 1 of job a was claimed, which came before the gate of key k in its pause." in writer.violations()[0].what
    )


def test_who_was_let_in_before_is_claimed(writer: Writer) -> None:
    keyed(writer, "a")
    writer.gate("pause")
    writer.claim("a")
    end(writer, "a")
    writer.gate("resume")
    keyed(writer, "b")
    assert finish(writer) == []


def test_only_as_many_as_there_were_slots_were_let_in_before(writer: Writer) -> None:
    keyed(writer, "ab")
    writer.gate("pause")
    writer.claim("a")
    end(writer, "a")
    writer.claim("b")
    end(writer, "b")
    writer.gate("resume")
    assert finish(writer) == ["P17"]
    assert "2 jobs of key k had slots when it was paused" in writer.violations()[0].what


def test_who_gave_the_slot_up_in_the_pause_waits_like_everybody(writer: Writer) -> None:
    keyed(writer, "a")
    writer.gate("pause")
    writer.run("a", "snoozed", "scheduled")
    writer.claim("a")
    end(writer, "a")
    writer.gate("resume")
    assert finish(writer) == ["P17"]


@pytest.mark.parametrize(("gate", "status"), [(HOLD, "scheduled"), (ONE, "pending")])
def test_who_keeps_the_slot_goes_on(writer: Writer, gate: GateRule, status: str) -> None:
    keyed(writer, "a", gate)
    writer.gate("pause")
    writer.run("a", "interrupted" if status == "pending" else "snoozed", status)
    writer.claim("a")
    end(writer, "a")
    writer.gate("resume")
    assert finish(writer) == []


def test_a_pause_that_nobody_was_sure_of_is_none(writer: Writer) -> None:
    writer.gate("pause", done=False)
    keyed(writer, "a")
    assert finish(writer) == []


def test_of_changes_that_overlap_nobody_knows_which_came_last(loose: Writer) -> None:
    loose.ask_gate(80, "resume")
    loose.gate("pause")
    keyed(loose, "a")
    assert finish(loose) == []


# -- rates -------------------------------------------------------------------------------------------


def claim_all(writer: Writer, jobs: str, *, apart: float = 0.0) -> None:
    for job in jobs:
        writer.at += apart
        writer.claim(job)
        end(writer, job)


def test_more_in_a_window_than_the_rate_and_its_burst(writer: Writer) -> None:
    keyed(writer, "abcd", RATE)
    claim_all(writer, "abcd")
    assert finish(writer) == ["P17"]
    assert "beyond its rate of 0.05 in a second, and a burst of 2" in writer.violations()[0].what


def test_as_many_as_the_tokens_are(writer: Writer) -> None:
    keyed(writer, "abcd", RATE)
    claim_all(writer, "abcd", apart=20.0)
    assert finish(writer) == []


def test_times_that_are_apart_are_allowed_for(exact: Writer) -> None:
    exact.terms = Terms(types=frozenset({"mail"}), apart=10.0)
    keyed(exact, "abc", RATE)
    claim_all(exact, "abc")
    assert finish(exact) == []


@pytest.mark.parametrize("gate", [GateRule(rate=100.0, burst=2), None])
def test_any_rule_that_may_be_in_force_may_allow_it(writer: Writer, gate: GateRule | None) -> None:
    keyed(writer, "ab", RATE)
    keyed(writer, "c", gate)
    claim_all(writer, "abc")
    assert finish(writer) == []


def test_who_was_let_in_before_the_rate_was_set_has_spent_no_token(exact: Writer) -> None:
    keyed(exact, "abc", GateRule(concurrency=3))
    exact.gate("set", RATE)
    exact.claim("a", "b", "c")
    assert finish(exact) == []


def test_who_comes_back_spends_another_token(exact: Writer) -> None:
    keyed(exact, "a", RATE, max_attempts=9)
    for _ in range(4):
        exact.claim("a")
        exact.write("a", "released", "pending")
    assert finish(exact) == ["P17"]


def test_after_a_clock_was_set_nothing_is_said(exact: Writer) -> None:
    keyed(exact, "abcd", RATE)
    exact.note(e.Stepped, seconds=60.0, process="p1")
    claim_all(exact, "abcd")
    assert finish(exact) == []


def test_a_slow_call_may_have_been_begun_long_before(exact: Writer) -> None:
    keyed(exact, "abc", RATE)
    exact.note(e.Faulted, process="p1", verb="admit", kind="slow")
    claim_all(exact, "abc")
    assert finish(exact) == []


def test_windows_lie_between_what_disturbs_them(exact: Writer) -> None:
    keyed(exact, "abcd", RATE)
    claim_all(exact, "ab")
    exact.note(e.Paused, process="p2")
    exact.note(e.Resumed, process="p2")
    exact.at += 10.0
    claim_all(exact, "cd")
    assert finish(exact) == []


def test_who_never_goes_on_disturbs_for_ever(exact: Writer) -> None:
    keyed(exact, "abcd", RATE)
    exact.note(e.Paused, process="p2")
    claim_all(exact, "abcd")
    exact.open.clear()
    assert exact.broken() == []


# -- for ever ----------------------------------------------------------------------------------------


def wait(writer: Writer, jobs: str) -> None:
    for job in jobs:
        writer.alter(job, status=Status.WAITING)


def test_nobody_waits_for_ever_before_a_gate_that_is_open(writer: Writer) -> None:
    keyed(writer, "ab")
    wait(writer, "b")
    writer.run("a")
    assert writer.broken() == ["P2"]
    assert "Job b never ended: it is waiting for ever" in writer.violations()[0].what


def test_before_a_paused_one_anybody_may(writer: Writer) -> None:
    keyed(writer, "ab")
    wait(writer, "b")
    writer.run("a")
    writer.gate("pause")
    assert writer.broken() == []


def test_one_that_was_resumed_is_open(exact: Writer) -> None:
    exact.gate("pause")
    exact.gate("resume")
    keyed(exact, "b")
    wait(exact, "b")
    assert exact.broken() == ["P2"]


def test_of_a_job_without_a_key_waiting_is_no_place(exact: Writer) -> None:
    exact.enqueue("a")
    wait(exact, "a")
    assert set(exact.broken()) == {"P2"}


@pytest.mark.parametrize(("gate", "broken"), [(HOLD, []), (PASS, ["P2"])])
def test_behind_a_failed_job_of_a_sequence_one_may(writer: Writer, gate: GateRule, broken: list[str]) -> None:
    keyed(writer, "ab", gate)
    wait(writer, "b")
    writer.run("a", "failed", "failed")
    assert writer.broken() == broken


@pytest.mark.parametrize(("exactly", "broken"), [(True, ["P2"]), (False, [])])
def test_but_not_once_a_person_certainly_let_it_pass(exactly: bool, broken: list[str]) -> None:
    writer = begin(exact=exactly)
    keyed(writer, "ab", HOLD)
    wait(writer, "b")
    writer.run("a", "failed", "failed")
    writer.gate("pass", passed=("a",))
    assert writer.broken() == broken


def test_one_that_failed_again_holds_it_up_again(exact: Writer) -> None:
    keyed(exact, "ab", HOLD)
    wait(exact, "b")
    exact.run("a", "failed", "failed")
    exact.gate("pass", passed=("a",))
    exact.retry("a")
    exact.run("a", "failed", "failed")
    assert exact.broken() == []


def test_where_nobody_knows_when_it_failed_it_may(exact: Writer) -> None:
    keyed(exact, "ab", HOLD)
    wait(exact, "b")
    exact.claim("a")
    exact.row("a", "lost", "failed")
    assert exact.broken() == []


def test_a_job_with_a_key_waits_where_it_would_be_pending(exact: Writer) -> None:
    keyed(exact, "a", RATE)
    exact.claim("a")
    exact.write("a", "released", "pending")
    wait(exact, "a")
    exact.gate("pause")
    assert exact.broken() == []
