"""A seed is one history, on every run and in every process; what is broken is found, shortened and told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from ferryman.domain.outcome import Finish
from ferryman.domain.state import Status
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import FinishReport
from ferryman.testing.history import ON_A_SERVER, WITH_TRANSACTIONS, story
from ferryman.testing.history.entries import RuleTook
from tests.simulation import campaign, drawing_shares
from tests.simulation.__main__ import Report
from tests.simulation.drawing import draw
from tests.simulation.outcome import STUCK, judge
from tests.simulation.plan import Kind, World
from tests.simulation.shrink import shrink
from tests.simulation.worlds import draw_in

BY_SHARES = ("workers", "capacity", "max_pending")
"""What is drawn anew where keys take turns: few jobs at once, and none that is refused."""
DIGEST = """
from tests.simulation.outcome import judge
from tests.simulation.drawing import draw
print(judge(draw({}))[0].digest)
"""


@pytest.mark.parametrize("seed", [3, 4, 6])  # one on each store
def test_a_seed_has_one_history(seed: int) -> None:
    here = judge(draw(seed))[0].digest
    for hashes in ("1", "2"):
        answer = subprocess.run(
            [sys.executable, "-c", DIGEST.format(seed)],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            check=True,
        )
        assert answer.stdout.strip() == here
    assert {draw(3).store, draw(4).store, draw(6).store} == {"memory", "sqlite", "postgres"}


def test_seeds_differ() -> None:
    assert len({judge(draw(seed, "memory"))[0].digest for seed in range(5)}) == 5


def test_the_mix_is_as_rich_as_promised() -> None:
    plans = [draw(seed) for seed in range(2000)]
    assert sum(sum(role != "client" for role in plan.roles) for plan in plans) >= 2 * len(plans)
    assert sum(sum(job.burst for job in plan.jobs) for plan in plans) >= 20 * len(plans)
    assert sum(len({fault.what for fault in plan.faults}) for plan in plans) >= 3 * len(plans)
    for store in get_args(Kind):
        assert 0.30 < sum(plan.store == store for plan in plans) / len(plans) < 0.37, store


def test_what_a_seed_plays_is_the_same_on_every_store_but_for_what_only_a_server_does() -> None:
    for seed in range(20):
        on_memory, on_a_server = draw(seed, "memory"), draw(seed, "postgres")
        only_there = {name: getattr(on_memory, name) for name in ("store", "server", "crowds", "outages")}
        assert msgspec.structs.replace(on_a_server, **only_there) == on_memory


def test_some_seeds_have_rules_and_they_end() -> None:
    plans = [draw(seed, keys=False) for seed in range(200)]
    ruled = [plan for plan in plans if plan.rules]
    assert 0.3 < len(ruled) / len(plans) < 0.5
    assert {plan.priority_factor for plan in plans} == {0, 1, 2, 5, 100}
    assert {plan.limits_stay for plan in ruled} == {False, True}
    effective = 0
    for plan in ruled[:8]:
        outcome, history = judge(plan)
        assert not outcome.violations
        assert history is not None
        last = {(each.scope, each.name): each for each in history.entries if isinstance(each, RuleTook)}
        effective += bool(last)
        assert not any(rule.paused for rule in last.values())
        assert plan.limits_stay or not any(rule.limit.is_bound for rule in last.values())
    assert effective >= 6, "the store is not always there for those who ask"


def test_some_seeds_have_keys_and_the_others_are_as_ever() -> None:
    plans = [draw(seed) for seed in range(200)]
    plain = [draw(seed, keys=False) for seed in range(200)]
    with_keys = [plan for plan in plans if plan.gates]
    assert 0.3 < len(with_keys) / len(plans) < 0.5
    assert {plan.keys_stay for plan in with_keys} == {False, True}
    assert all(any(job.key for job in plan.jobs) for plan in with_keys)
    assert [plan for plan in plans if not plan.gates] == [
        one for one, plan in zip(plain, plans, strict=True) if not plan.gates
    ]
    for plan, without in zip(plans, plain, strict=True):
        same = {name: getattr(plan, name) for name in ("jobs", "rules", "gates", "keys", "keys_stay", *BY_SHARES)}
        assert msgspec.structs.replace(without, **same) == plan


def test_in_some_seeds_with_keys_these_take_turns_and_the_others_are_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [draw(seed) for seed in range(400)]
    monkeypatch.setattr(drawing_shares, "SHARING", 0.0)
    plain = [draw(seed) for seed in range(400)]
    sharing = [plan for plan in plans if any(gate.rule.share for gate in plan.gates)]
    assert 0.35 < len(sharing) / sum(bool(plan.gates) for plan in plans) < 0.65
    assert {plan.gates[0].rule.concurrency for plan in sharing} == {None, 1, 3}
    for plan, without in zip(plans, plain, strict=True):
        assert (plan == without) == (plan not in sharing)
        assert plan.jobs[: len(without.jobs)] == without.jobs
        tenants = {job.key for job in plan.jobs[len(without.jobs) :]}
        assert len(tenants) >= 2 or plan not in sharing


def test_who_waits_in_the_end_waits_for_a_person() -> None:
    left = 0
    for plan in [plan for plan in map(draw, range(120)) if plan.gates]:
        outcome, history = judge(plan)
        assert not outcome.violations
        assert history is not None
        waiting = [job for job in history.final.jobs.values() if job.status is Status.WAITING]
        left += bool(waiting)
        assert plan.keys_stay or not waiting
    assert left >= 4, "some gates stay closed"


@pytest.mark.parametrize(
    ("world", "what"), [("holder", "holder taken for dead"), ("key-holder", "holder of a key taken for dead")]
)
@pytest.mark.parametrize("store", get_args(Kind))
def test_in_a_world_what_it_is_about_happens_in_nearly_every_seed(store: Kind, world: World, what: str) -> None:
    outcomes = [judge(draw_in(world, seed, store))[0] for seed in range(12)]
    assert not any(outcome.violations for outcome in outcomes)
    assert sum(bool(outcome.reached.get(what)) for outcome in outcomes) >= 10


def test_a_world_is_drawn_for_a_range_and_none_is_as_ever() -> None:
    assert draw_in(None, 7) == draw(7)
    found = campaign.run(campaign.cut(0, 2, "memory", "holder")[0])
    assert found.reached["holder taken for dead"] == 2


def test_a_range_adds_up_and_is_not_run_twice(tmp_path: Path) -> None:
    tasks = campaign.cut(0, 4, "memory")
    whole = campaign.run(tasks[0])
    parts = campaign.run(campaign.Task(0, 3, "memory"))
    parts.add(campaign.run(campaign.Task(3, 1, "memory")))
    assert (whole.seeds, whole.reached, whole.sums) == (parts.seeds, parts.reached, parts.sums)
    journal = campaign.Journal(tmp_path / "deep" / "journal", "abc")
    journal.add(tasks[0], whole)
    assert journal.done() == {tasks[0]: whole}
    assert campaign.Journal(tmp_path / "deep" / "journal", "another commit").done() == {}


def test_a_store_without_a_fence_is_found_shortened_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "_finish", unfenced)
    seed, outcome = next(
        (seed, outcome) for seed in range(300) if (outcome := judge(draw(seed, "memory"))[0]).violations
    )
    promise = outcome.violations[0].promise
    plan = draw(seed, "memory")
    short = shrink(plan, promise)
    assert len(short.faults) < len(plan.faults) or sum(j.burst for j in short.jobs) < sum(j.burst for j in plan.jobs)
    found, history = judge(short)
    violation = next(each for each in found.violations if each.promise == promise)
    assert history is not None
    told = story(history, violation)
    assert violation.jobs[0][-6:] in told


def unfenced(self: MemoryStore, node: int, finish: Finish, now: int) -> bool:
    """The fault of other queues: whoever says that a job is done is believed."""
    row = self._tables.jobs[finish.id]
    if row.claim is not None:
        self._tables.end(row, row.claim, msgspec.structs.replace(finish, number=row.number), now)
    return True


def test_a_world_that_comes_to_no_end_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: MemoryStore, node: int, finishes: Sequence[Finish], now: int) -> FinishReport:
        raise AssertionError("no outcome is ever written")

    monkeypatch.setattr(MemoryStore, "finish", never)
    outcome, history = judge(draw(1, "memory"))
    assert outcome.violations
    assert (history is None) == (outcome.violations[0].promise == STUCK)


@pytest.mark.parametrize(
    ("store", "possible"), [(campaign.ON_SQLITE, WITH_TRANSACTIONS), (campaign.ON_POSTGRES, ON_A_SERVER)]
)
def test_what_only_some_stores_can_do_is_missed_only_where_there_are_any(store: str, possible: frozenset[str]) -> None:
    report = Report(0, "abc", campaign.Tally(seeds=9, reached={"snoozed": 1}, sums={store: 1}))
    assert set(report.missed) & (WITH_TRANSACTIONS | ON_A_SERVER) == possible
    assert "queue full" in report.missed
    assert "snoozed" not in report.missed


def test_a_run_of_no_seeds_is_refused() -> None:
    asked = [sys.executable, "-m", "tests.simulation", "--seeds", "0"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "0 is not 1 or more" in answer.stderr
