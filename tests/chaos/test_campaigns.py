"""The three campaigns about one theme each, played small: nothing is wrong, and what was wrong would be told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.domain.job import Attempt, Job, JobError
from ferryman.domain.state import Status
from ferryman.testing.history import check
from tests.chaos import family, harm, hostile, money, supervision
from tests.chaos.harm import Found
from tests.chaos.hostile_target import ATTEMPTS
from tests.chaos.orders import BOTH, CHILD
from tests.chaos.sightings import Sighting
from tests.chaos.transfers import Verdict

# -- supervision -----------------------------------------------------------------------------------------


def test_a_small_campaign_against_a_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("UP_SECONDS", "REACH_SECONDS", "ORPHAN_SECONDS"):
        # here everybody comes to where he is to die, and goes when he is to go, however slow the machine is
        monkeypatch.setattr(family, seconds, 60.0)
    campaign = supervision.run(tmp_path, "serve", [(CHILD, "running"), (BOTH, "claimed")], seed=1)
    # how soon claims come back is for a campaign on a machine that has nothing else to do
    assert [each for each in check(campaign.history) if each.promise != "P15"] == []
    assert campaign.complaints == []
    told = supervision.figures_of(campaign, "serve", 1, 0.0)
    assert told["kills"] == {"claimed": 2, "running": 1}
    assert (told["missed"], told["lost"], told["double_commits"]) == (0, 0, 0)
    assert told["accepted"] > 0
    # whoever is killed there holds claims; who gives them back may be killed before it says so
    assert 1 <= told["with_claims"] <= told["deaths"] == 2
    assert len(campaign.orphaned) == 1


def test_a_round_has_every_victim_at_every_moment() -> None:
    serve, work = supervision.acts("serve"), supervision.acts("work")
    assert {during for _, during in serve} - {during for _, during in work} == {"accepting"}
    assert {(CHILD, "just started"), (BOTH, "flushing"), ("all", "idle"), ("parent", "in transaction")} <= set(work)


# -- hostile handlers ------------------------------------------------------------------------------------


def test_a_small_campaign_with_hostile_handlers(tmp_path: Path) -> None:
    found = harm.run(tmp_path, ["quits", "crashes", "breeds", "leaves"], 1, None)
    assert list(hostile.judge(found)) == []
    assert found.faults == []
    told = hostile.figures_of(found)
    assert told["hostile_runs"] == 3 * ATTEMPTS + 1
    assert told["harmless_jobs"] > 0
    assert min(told["slots"][type]["times"] for type in ("quits", "crashes", "breeds")) > 0


def test_without_a_control_group_it_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hostile, "available", lambda: False)
    assert hostile.main([]) == 3
    assert "control group" in capsys.readouterr().err


def ended(id: str, type: str, status: Status, attempt: int = 1) -> Job:
    given: dict[str, Any] = dict.fromkeys(
        ("result", "error", "run_at", "started_at", "expires_at", "worker_id", "node", "unique_key")
    )
    given |= {"priority": 5, "max_attempts": 2, "claim": attempt, "created_at": 0, "finished_at": 0}
    return Job(id=id, type=type, status=status, attempt=attempt, queue="q", payload="{}", tags=(), **given)


def runs(*codes: str | None) -> Sequence[Attempt]:
    return [
        Attempt(
            number=number,
            what="failed" if code else "done",
            status=Status.FAILED,
            attempt=number,
            error=JobError(code, "E", "e") if code else None,
            started_at=0,
            finished_at=0,
            worker_id=None,
            node=None,
        )
        for number, code in enumerate(codes, start=1)
    ]


def sighting(at: float, job: str, type: str, what: str) -> Sighting:
    return Sighting(at, "w1", job, 1, type, what)


GOOD = Found(
    jobs=[ended("a", "quits", Status.FAILED, 2), ended("b", "waits", Status.COMPLETED)],
    attempts={"a": runs("FM517", "FM517")},
    log=[sighting(1, "a", "quits", "begin"), sighting(2, "b", "waits", "begin"), sighting(3, "b", "waits", "end")],
    oom_kills=0,
    after_stop=0.0,
    after_kill=0.0,
    faults=[],
)


def test_hostile_handlers_that_end_as_they_should_are_no_fault() -> None:
    assert list(hostile.judge(GOOD)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attempts": {"a": runs("FM517", "FM516")}}, "the job a of type quits"),
        ({"attempts": {"a": runs("FM517")}}, "the job a of type quits"),
        ({"jobs": [ended("a", "quits", Status.COMPLETED), GOOD.jobs[1]]}, "the job a of type quits is completed"),
        ({"jobs": [GOOD.jobs[0], ended("b", "waits", Status.FAILED)]}, "the harmless job b of type waits is failed"),
        ({"log": [*GOOD.log, sighting(4, "b", "waits", "begin")]}, "after 2 starts"),
    ],
)
def test_what_is_wrong_with_hostile_handlers_is_told(changes: dict[str, Any], says: str) -> None:
    found = Found(**{**vars(GOOD), **changes})
    (told,) = hostile.judge(found)
    assert says in told


def test_a_worker_that_was_not_free_in_time_is_told() -> None:
    assert list(hostile.late(GOOD)) == []
    log = [GOOD.log[0], sighting(8, "b", "waits", "begin"), sighting(9, "b", "waits", "end")]
    assert list(hostile.late(Found(**{**vars(GOOD), "log": log}))) == [
        "a worker ran its next job 7.00 s after the end of a job of type quits"
    ]


# -- money -----------------------------------------------------------------------------------------------


def test_a_small_campaign_that_moves_money(tmp_path: Path) -> None:
    found = money.run(tmp_path, 90, 1, every=20, naps=1, limit=0.3)
    assert found.faults == []
    assert found.verdict == Verdict(found.jobs, found.jobs, found.jobs, ())
    assert found.deaths["in the middle"] > 0
    assert found.cut_off > 0
    assert found.slow == ["FM217", "FM217"]


RICH = money.Found(5, Verdict(5, 5, 5, ()), slow=["FM217", "FM217"], longest_wait=2.0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, None),
        ({"verdict": msgspec.structs.replace(RICH.verdict, wrong=("the accounts",))}, "the accounts"),
        ({"verdict": msgspec.structs.replace(RICH.verdict, ledger=6)}, "of 5 transfers 5 are completed, 6 in the"),
        ({"slow": ["FM217", "completed"]}, "completed"),
        ({"fenced": 1}, "1 writes were fenced"),
        ({"rescued": 2}, "2 claims given back"),
    ],
)
def test_what_is_wrong_with_money_is_told(changes: dict[str, Any], says: str | None) -> None:
    told = list(money.judge(money.Found(**{**vars(RICH), **changes}), 1))
    assert (says is None) == (told == [])
    assert says is None or says in told[0]


def test_an_enqueue_that_waited_too_long_is_told() -> None:
    assert list(money.late(RICH, 2.0)) == []
    assert list(money.late(RICH, 0.5)) == ["an enqueue waited for 2.00 s"]
