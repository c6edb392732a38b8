"""P10 and P12: unique keys, and order within a lane."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

both = pytest.mark.parametrize("exact", [True, False], ids=["exact", "not exact"])
KEY: dict[str, Any] = {"unique_key": "k"}


def begin(*, exact: bool) -> Writer:
    writer = Writer(exact=exact)
    writer.spawn("p1")
    return writer


# -- P10 ---------------------------------------------------------------------------------------------


@both
def test_a_key_that_is_given_out_again_once_it_is_free(exact: bool) -> None:
    writer = begin(exact=exact)
    for job in "abc":
        writer.enqueue(job, **KEY)
        writer.run(job)
    writer.enqueue("other", type="sms", **KEY)
    assert writer.broken() == []


@both
def test_a_key_that_is_free_before_its_job_has_run(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("a", **KEY)
    writer.enqueue("b", **KEY)
    writer.run("a")
    writer.run("b")
    assert writer.broken() == ["P10"]
    assert writer.violations()[0].jobs == ("a", "b")


@both
def test_a_key_that_is_free_while_its_job_runs(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("a", **KEY)
    writer.claim("a")
    writer.start("a")
    writer.enqueue("b", **KEY)
    writer.end("a")
    writer.write("a")
    writer.run("b")
    assert writer.broken() == ["P10"]


@both
def test_a_key_that_is_free_between_two_attempts(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("a", **KEY)
    writer.run("a", "failed", "scheduled")
    writer.enqueue("b", **KEY)
    writer.run("b")
    writer.run("a")
    assert writer.broken() == ["P10"]


@both
def test_a_job_that_is_retried_while_another_one_has_its_key(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("a", **KEY)
    writer.run("a", "failed", "failed")
    writer.enqueue("b", **KEY)
    writer.retry("a")
    writer.claim("a")
    writer.start("a")
    writer.claim("b")
    writer.end("a")
    writer.write("a")
    writer.start("b")
    writer.end("b")
    writer.write("b")
    assert writer.broken() == ["P10"]


def test_where_a_history_is_not_exact_an_answer_may_come_long_after_the_insert() -> None:
    """b may have been stored when a had ended, and its answer only tells of it late."""
    writer = begin(exact=False)
    writer.enqueue("a", **KEY)
    writer.claim("a")
    writer.ask("b", **KEY)
    writer.start("a")
    writer.end("a")
    writer.write("a")
    writer.store("b", **KEY)
    writer.answer("b")
    writer.run("b")
    assert writer.broken() == []


def test_a_job_that_came_and_went_within_the_life_of_another_with_its_key() -> None:
    """b has ended before the answer that accepted it was read; still it was inserted while a was live."""
    writer = begin(exact=False)
    writer.enqueue("a", **KEY)
    writer.ask("b", queue="q", **KEY)
    writer.store("b", queue="q", **KEY)
    writer.run("b")
    writer.answer("b")
    writer.run("a")
    assert writer.broken() == ["P10"]


@both
def test_a_job_that_waits_for_ever_has_its_key_for_ever(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("a", type="unknown", **KEY)
    writer.enqueue("b", type="unknown", **KEY)
    assert writer.broken() == ["P10"]


# -- P12 ---------------------------------------------------------------------------------------------


@both
def test_first_claims_in_order(exact: bool) -> None:
    writer = begin(exact=exact)
    for job in "abc":
        writer.enqueue(job)
    writer.claim("a", "b")
    writer.claim("c")
    for job in "cab":
        writer.start(job)
        writer.end(job)
        writer.write(job)
    assert writer.broken() == []


@both
def test_a_job_that_passes_an_older_one(exact: bool) -> None:
    writer = begin(exact=exact)
    for job in "abc":
        writer.enqueue(job)
    for job in "acb":
        writer.run(job)
    assert writer.broken() == ["P12"]
    assert writer.violations()[0].jobs == ("b", "c")


def test_the_order_within_a_batch_counts_where_it_is_known() -> None:
    writer = begin(exact=True)
    for job in "ab":
        writer.ask(job)
    writer.store("a", "b")
    writer.claim("b", "a")
    for job in "ba":
        writer.start(job)
        writer.end(job)
        writer.write(job)
    assert writer.broken() == ["P12"]


@both
@pytest.mark.parametrize("other", [{"queue": "q"}, {"priority": 1}, {"type": "sms"}], ids=str)
def test_lanes_pass_each_other(exact: bool, other: dict[str, object]) -> None:
    writer = begin(exact=exact)
    writer.enqueue("a", **other)
    writer.enqueue("b")
    writer.run("b")
    writer.run("a")
    assert writer.broken() == []


@both
def test_neither_a_scheduled_job_nor_one_that_comes_back_keeps_its_place(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.enqueue("later", scheduled=True)
    writer.enqueue("a")
    writer.enqueue("cancelled")
    writer.cancel("cancelled")
    writer.retry("cancelled")
    writer.run("a", "failed", "scheduled")
    writer.enqueue("b")
    writer.run("b")
    writer.run("a")
    writer.run("later")
    writer.run("cancelled")
    assert writer.broken() == []


@both
def test_a_scheduled_job_that_its_client_did_not_name_keeps_no_place_either(exact: bool) -> None:
    writer = begin(exact=exact)
    writer.ask("later", minted=False, scheduled=True)
    writer.store("later")
    writer.answer("later")
    writer.enqueue("a")
    writer.run("a")
    writer.run("later")
    assert writer.broken() == []


def test_where_a_history_is_not_exact_jobs_that_were_asked_for_at_once_have_no_order() -> None:
    writer = begin(exact=False)
    for job in "ab":
        writer.ask(job)
    writer.store("a", "b")
    for job in "ab":
        writer.answer(job)
    writer.run("b")
    writer.run("a")
    assert writer.broken() == []


def test_where_a_history_is_not_exact_claims_that_overlap_have_no_order() -> None:
    writer = begin(exact=False)
    writer.spawn("p2")
    for job in "ab":
        writer.enqueue(job)
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.claim("b", process="p2")
    writer.claimed(90, "a")
    for job, process in (("a", "p1"), ("b", "p2")):
        writer.start(job, process=process)
        writer.end(job, process=process)
        writer.write(job, process=process)
    assert writer.broken() == []
