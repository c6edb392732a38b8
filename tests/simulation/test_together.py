"""Follow-ups and handlers' transactions, in worlds in which one thing goes wrong."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ferryman.domain.state import Status
from ferryman.testing.history import entries as e
from ferryman.testing.history import sometimes
from ferryman.testing.history.history import History
from tests.simulation.plan import Act, FaultPlan, FollowUp, JobPlan, Kind, PersonPlan, Plan, Step
from tests.simulation.test_known_faults import STORES, plan, run

WITH_ONE = (FollowUp(),)


def world(store: Kind, *steps: Step, faults: tuple[FaultPlan, ...] = (), more: tuple[JobPlan, ...] = ()) -> Plan:
    """A server and a worker in good weather; one job, which the server runs, and others."""
    made = plan(store, *faults, seconds=0.0)
    return replace(made, jobs=(replace(made.jobs[0], steps=steps), *more))


def fault(what: str, verb: str, *, after: bool) -> FaultPlan:
    return FaultPlan(at=0.1, what=what, which=0, verb=verb, after=after)  # type: ignore[arg-type]


def ended(history: History) -> list[tuple[str, Status, list[str]]]:
    """Every job: its type, its status, how its runs ended."""
    final = history.final
    return sorted((job.type, job.status, [row.what for row in final.attempts[job.id]]) for job in final.jobs.values())


def numbers(history: History) -> list[int]:
    """Of the runs whose rows are there."""
    return sorted(number for _, number in history.final.ledger)


ECHO = ("echo", Status.COMPLETED, ["done"])
FOLLOW = ("follow", Status.COMPLETED, ["done"])


# -- follow-ups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", STORES)
def test_a_completion_whose_reply_was_lost_brings_its_follow_ups_once(store: Kind) -> None:
    history = run(world(store, Step("return", 0.1, WITH_ONE * 2), faults=(fault("fail", "finish", after=True),)))
    assert ended(history) == [ECHO, FOLLOW, FOLLOW]
    assert sometimes(history)["follow-up of a replayed finish"] == 1


@pytest.mark.parametrize("store", STORES)
def test_a_run_that_raises_brings_nothing_and_the_next_one_its_own(store: Kind) -> None:
    history = run(world(store, Step("raise", 0.1, WITH_ONE * 2), Step("return", 0.1, WITH_ONE)))
    assert ended(history) == [("echo", Status.COMPLETED, ["failed", "done"]), FOLLOW]
    assert len([each for each in history.entries if isinstance(each, e.Asked) and each.follows]) == 3


@pytest.mark.parametrize("store", STORES)
def test_a_follow_up_is_followed_under_its_own_unique_key(store: Kind) -> None:
    history = run(world(store, Step("return", 0.1, (FollowUp(unique_key="k", more=1),))))
    assert ended(history) == [ECHO, FOLLOW, FOLLOW]
    assert {job.unique_key for job in history.final.jobs.values() if job.type == "follow"} == {"k"}


@pytest.mark.parametrize("store", STORES)
def test_of_two_follow_ups_with_one_key_the_second_gives_way(store: Kind) -> None:
    history = run(world(store, Step("return", 0.1, (FollowUp(unique_key="k", delay=0.5), FollowUp(unique_key="k")))))
    assert ended(history) == [ECHO, FOLLOW]
    assert sometimes(history)["follow-up gives way"] == 1


# -- transactions ----------------------------------------------------------------------------------------


def test_a_row_a_follow_up_and_the_completion_commit_together() -> None:
    history = run(world("sqlite", Step("return", 0.1, WITH_ONE, block=0.2)))
    assert ended(history) == [ECHO, FOLLOW]
    assert numbers(history) == [1]
    assert {job.result for job in history.final.jobs.values() if job.type == "echo"} == {'{"committed":1}'}


def test_a_store_in_memory_has_no_transactions_so_the_handler_only_brings_its_follow_ups() -> None:
    history = run(world("memory", Step("return", 0.1, WITH_ONE, block=0.2)))
    assert ended(history) == [ECHO, FOLLOW]
    assert numbers(history) == []


@pytest.mark.parametrize("act", ["exit", "snooze", "cancel", "retry"])
def test_what_a_handler_raises_after_its_commit_changes_nothing(act: Act) -> None:
    history = run(world("sqlite", Step(act, 0.1, block=0.0)))
    assert ended(history) == [ECHO]
    assert numbers(history) == [1]


def test_what_it_raises_before_undoes_all() -> None:
    history = run(world("sqlite", Step("raise", 0.1, WITH_ONE, block=0.1), Step("return", 0.1, block=0.0)))
    assert ended(history) == [("echo", Status.COMPLETED, ["failed", "done"])]
    assert numbers(history) == [2]


def test_a_commit_whose_reply_was_lost_stands_though_its_handler_fails() -> None:
    history = run(
        world("sqlite", Step("return", 0.1, WITH_ONE, block=0.1), faults=(fault("fail", "commit", after=True),))
    )
    assert ended(history) == [ECHO, FOLLOW]
    assert numbers(history) == [1]
    assert next(each.how for each in history.entries if isinstance(each, e.Ended)) == "raised"
    assert sometimes(history)["lost reply of a commit"] == 1


@pytest.mark.parametrize("verb", ["begin", "commit"])
def test_a_transaction_that_the_store_fails_leaves_nothing(verb: str) -> None:
    history = run(world("sqlite", Step("return", 0.1, WITH_ONE, block=0.0), faults=(fault("fail", verb, after=False),)))
    assert ended(history) == [("echo", Status.COMPLETED, ["failed", "done"]), FOLLOW]
    assert numbers(history) == [2]


def test_a_transaction_that_is_open_for_too_long_is_rolled_back() -> None:
    history = run(world("sqlite", Step("return", 0.0, WITH_ONE, block=2.0), Step("return", 0.0)))
    assert ended(history) == [("echo", Status.COMPLETED, ["failed", "done"])]
    assert numbers(history) == []
    assert sometimes(history)["transaction timed out"] == 1


@pytest.mark.parametrize(
    ("act", "verb", "during"),
    [("return", "begin", "running"), ("die", "", e.IN_A_TRANSACTION), ("return", "commit", e.IN_A_TRANSACTION)],
    ids=["before it begins", "in its block", "before it commits"],
)
def test_a_process_that_dies_in_a_transaction_leaves_nothing_of_it(act: Act, verb: str, during: str) -> None:
    faults = (replace(fault("die at", verb, after=False), steps=1),) if verb else ()
    history = run(world("sqlite", Step(act, 0.1, WITH_ONE, block=0.1), Step("return", 0.1, block=0.1), faults=faults))
    assert [each.during for each in history.entries if isinstance(each, e.Killed)] == [during]
    assert ended(history) == [("echo", Status.COMPLETED, ["lost", "done"])]
    assert numbers(history) == [2]


def test_a_process_that_dies_once_its_transaction_has_committed_loses_nothing() -> None:
    faults = (replace(fault("die at", "commit", after=True), steps=1),)
    history = run(world("sqlite", Step("return", 0.1, WITH_ONE, block=0.1), faults=faults))
    assert ended(history) == [ECHO, FOLLOW]
    assert numbers(history) == [1]
    assert sum(isinstance(each, e.Started) and each.number == 1 for each in history.entries) == 2


def test_who_enqueues_meanwhile_waits_for_the_file_and_who_looks_does_not() -> None:
    made = world("sqlite", Step("return", 0.0, block=0.4))
    other = replace(made.jobs[0], at=0.6, steps=(Step("return", 0.0),))
    history = run(replace(made, jobs=(made.jobs[0], other), people=(PersonPlan(0.6, "look", 1),)))
    (committed,) = (each.at for each in history.entries if isinstance(each, e.Committed))
    first, second = (each.at for each in history.entries if isinstance(each, e.Inserted))
    assert first < 0.6 < committed < second
    (looked,) = (each for each in history.entries if isinstance(each, e.Looked))
    assert (looked.status, looked.at < committed) == ("processing", True)
    assert ended(history) == [ECHO, ECHO]
