"""Whole worlds on the model of PostgreSQL in which one thing goes wrong."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ferryman.domain.state import Status
from ferryman.testing.history import entries as e
from ferryman.testing.history import sometimes
from ferryman.testing.history.history import History
from tests.simulation.plan import CrowdPlan, FaultPlan, OutagePlan, Plan, ServerPlan
from tests.simulation.test_known_faults import plan, run

OWN = CrowdPlan(at=0.3, count=12, job=0, seconds=1.0, undone=False)


def world(**changes: object) -> Plan:
    """A server and a worker of two at a time, and one job at 0.5 s."""
    return replace(plan("postgres", seconds=0.05), workers=2, capacity=2, **changes)


def completed(history: History) -> int:
    return sum(job.status is Status.COMPLETED for job in history.final.jobs.values())


def answers(history: History) -> list[tuple[str, str | None]]:
    return [(each.verdict, each.code) for each in history.entries if isinstance(each, e.Answered)]


def test_many_jobs_of_one_transaction_appear_behind_a_cursor_and_each_runs_once() -> None:
    made = world(crowds=(OWN,))
    history = run(replace(made, jobs=(*made.jobs, replace(made.jobs[0], at=0.9))))
    assert completed(history) == 14
    assert answers(history) == [("accepted", None)] * 14
    found = sometimes(history)
    assert found["claimed past a gap"] == 1
    assert found["gap found late"] > 1
    assert not found["rescan found"]


def test_what_a_caller_takes_back_was_never_there() -> None:
    history = run(world(crowds=(replace(OWN, undone=True),)))
    assert completed(history) == len(history.final.jobs) == 1
    assert answers(history).count(("refused", "rolled back")) == 12


def test_a_transaction_that_is_open_when_the_server_restarts_is_rolled_back() -> None:
    history = run(world(crowds=(OWN,), outages=(OutagePlan(0.8, "restart", 0.2),)))
    assert completed(history) == len(history.final.jobs) == 1
    assert [verdict for verdict, _ in answers(history)].count("unknown") == 12


def test_a_transaction_dies_with_its_process() -> None:
    kill = FaultPlan(at=0.8, what="kill", which=0)
    history = run(world(crowds=(OWN,), faults=(kill,)))
    assert completed(history) == len(history.final.jobs) == 1
    assert len(answers(history)) == 1


@pytest.mark.parametrize("what", ["restart", "read-only"])
def test_a_job_that_runs_while_the_server_is_away_is_written_afterwards(what: str) -> None:
    outage = OutagePlan(0.53, what, 0.3)  # type: ignore[arg-type]
    history = run(world(outages=(outage,)))
    assert completed(history) == 1
    starts = [each for each in history.entries if isinstance(each, e.Started)]
    assert len(starts) == 1, "the lease has lasted"
    wrote = next(each.at for each in history.entries if isinstance(each, e.Wrote) and not each.fenced)
    assert wrote > 0.83
    assert any(isinstance(each, e.Faulted) and each.verb == "finish" for each in history.entries)


def test_nodes_that_could_not_beat_for_their_lease_stop_their_handlers_and_begin_anew() -> None:
    made = world(outages=(OutagePlan(0.6, "restart", 2.5),))
    job = replace(made.jobs[0], steps=(replace(made.jobs[0].steps[0], seconds=1.5), made.jobs[0].steps[0]))
    history = run(replace(made, jobs=(job,)))
    assert completed(history) == 1
    assert [each.how for each in history.entries if isinstance(each, e.Ended)] == ["cut off", "returned"]
    assert sometimes(history)["rescued node claims again"] or sometimes(history)["taken for dead alive"]


def test_connections_that_are_lost_all_the_time_lose_no_job() -> None:
    history = run(world(crowds=(OWN,), server=ServerPlan(lost=0.3, rescan=0.3)))
    assert all(job.status is Status.COMPLETED for job in history.final.jobs.values())
    assert any(isinstance(each, e.Faulted) and each.kind == "lost" for each in history.entries)
