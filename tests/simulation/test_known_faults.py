"""The two faults for which other queues are known: a late finish is accepted, and a rescuer overwrites what is done."""

from __future__ import annotations

import pytest

from ferryman.domain.state import Status
from ferryman.testing.history import check
from ferryman.testing.history.entries import Ended, Killed, Rescued, Started, Wrote
from ferryman.testing.history.history import History
from tests.simulation.outcome import play
from tests.simulation.plan import FaultPlan, JobPlan, Kind, Plan, Step

STORES: tuple[Kind, ...] = ("memory", "sqlite", "postgres")


def plan(store: Kind, *faults: FaultPlan, seconds: float) -> Plan:
    """Two processes in good weather, one job that takes a while, and what happens to who runs it."""
    job = JobPlan(at=0.5, steps=(Step("return", seconds),), type="echo", queue="default", priority=5, max_attempts=5)
    return Plan(
        seed=1,
        store=store,
        roles=("server", "worker"),
        workers=1,
        capacity=1,
        lease=1.0,
        beat=0.3,
        stop_deadline=1.0,
        grace=0.1,
        stall=60.0,
        transaction_timeout=0.5,
        max_pending=0,
        shares=None,
        trip=0.001,
        hiccup=0.0,
        deaf=0.0,
        skew=0.0,
        jobs=(job,),
        people=(),
        faults=faults,
        last_kill=False,
    )


def run(what: Plan) -> History:
    history, surprises = play(what)
    assert surprises == []
    assert check(history) == []
    return history


@pytest.mark.parametrize("store", STORES)
def test_a_paused_worker_finishes_a_job_that_another_one_runs_now(store: Kind) -> None:
    # the server starts its own job; it is frozen, found dead, and wakes when the worker is in the middle of the job
    history = run(plan(store, FaultPlan(at=0.7, what="pause", which=0, seconds=2.0), seconds=1.5))
    starts = [each for each in history.entries if isinstance(each, Started)]
    assert [(each.by, each.number) for each in starts] == [("p1", 1), ("p2", 2)]
    assert [each.by for each in history.entries if isinstance(each, Rescued)] == ["p2"]
    woken = next(each.at for each in history.entries if isinstance(each, Ended) and each.by == "p1")
    second_ends = next(each.at for each in history.entries if isinstance(each, Ended) and each.by == "p2")
    assert starts[1].at < woken < second_ends, "the first run ends while the second one is under way"
    fenced = [each for each in history.entries if isinstance(each, Wrote) and each.fenced]
    assert [(each.by, each.fenced) for each in fenced] == [("p1", [(starts[0].job, 1)])]
    (job,) = history.final.jobs.values()
    assert (job.status, job.claim, job.result) == (Status.COMPLETED, 2, "2"), "the second run's result counts"
    assert [each.what for each in history.final.attempts[job.id]] == ["lost", "done"]


@pytest.mark.parametrize("store", STORES)
def test_a_rescuer_does_not_overwrite_a_completed_job(store: Kind) -> None:
    # the server dies in the very moment in which its finish is committed; its node is found dead, the job is done
    history = run(
        plan(store, FaultPlan(at=0.1, what="die at", which=0, verb="finish", after=True, steps=1), seconds=0.2)
    )
    assert [each.during for each in history.entries if isinstance(each, Killed)] == ["flushing"]
    rescued = [each.count for each in history.entries if isinstance(each, Rescued)]
    assert rescued == [0], "it held nothing any more"
    (job,) = history.final.jobs.values()
    assert (job.status, job.claim) == (Status.COMPLETED, 1)
    assert [each.what for each in history.final.attempts[job.id]] == ["done"]
    assert sum(isinstance(each, Started) for each in history.entries) == 1
