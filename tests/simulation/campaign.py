"""Many seeds on all cores, in order of their numbers; a file remembers what is done, so that a run can go on later."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.simulation.outcome import Outcome, judge
from tests.simulation.plan import Kind, Plan, World
from tests.simulation.worlds import draw_in

CHUNK = 50
"""Seeds that a worker does at a time."""
MEANS = ("nodes", "jobs", "kinds of fault", "entries")
"""What is summed up over all seeds."""
ON_SQLITE = "on SQLite"
ON_POSTGRES = "on the model of PostgreSQL"


class Tally(msgspec.Struct):
    """What came of a range of seeds."""

    seeds: int = 0
    seconds: float = 0.0
    violations: int = 0
    failing: list[tuple[int, str]] = []
    """(seed, promise) of seeds with a violation."""
    reached: dict[str, int] = {}
    """In how many seeds each situation was reached."""
    sums: dict[str, float] = {}
    """Over all seeds: `MEANS`, and the seeds on SQLite, and on the model of PostgreSQL."""

    def add(self, other: Tally) -> None:
        """Take another range in."""
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.violations += other.violations
        self.failing = self.failing + other.failing
        self.reached = dict(Counter(self.reached) + Counter(other.reached))
        self.sums = {name: self.sums.get(name, 0) + value for name, value in other.sums.items()}

    def mean(self, name: str) -> float:
        """A sum by seed."""
        return self.sums.get(name, 0.0) / max(self.seeds, 1)


class Task(msgspec.Struct, frozen=True):
    """A range of seeds, on the store that each draws or on one, in the world of each or in one that they share."""

    first: int
    count: int
    store: Kind | None = None
    world: World | None = None


def run(task: Task) -> Tally:
    """Judge a range of seeds in this process."""
    tally = Tally()
    began = time.perf_counter()
    for seed in range(task.first, task.first + task.count):
        plan = draw_in(task.world, seed, task.store)
        outcome, _ = judge(plan)
        tally.add(_of_one(plan, outcome))
    tally.seconds = time.perf_counter() - began
    return tally


def _of_one(plan: Plan, outcome: Outcome) -> Tally:
    return Tally(
        seeds=1,
        violations=len(outcome.violations),
        failing=[(plan.seed, outcome.violations[0].promise)] if outcome.violations else [],
        reached={name: 1 for name, times in outcome.reached.items() if times},
        sums={
            "nodes": sum(role != "client" for role in plan.roles),
            "jobs": outcome.jobs,
            "kinds of fault": kinds_of_fault(plan),
            ON_SQLITE: plan.store == "sqlite",
            ON_POSTGRES: plan.store == "postgres",
            "entries": outcome.entries,
        },
    )


def kinds_of_fault(plan: Plan) -> int:
    """How many kinds of fault a plan has: what is done to processes, and what handlers do to theirs."""
    harm = {fault.what for fault in plan.faults} | {outage.what for outage in plan.outages}
    poison = {step.act for job in plan.jobs for step in job.steps if step.act in ("die", "block", "stubborn")}
    return len(harm) + len(poison) + bool(plan.deaf) + bool(plan.hiccup) + bool(plan.skew) + bool(plan.server.lost)


def run_all(tasks: list[Task], processes: int) -> Iterator[tuple[Task, Tally]]:
    """Judge many ranges side by side; they come back in order."""
    if processes == 1:
        yield from ((task, run(task)) for task in tasks)
        return
    context = multiprocessing.get_context("fork")
    gc.collect()
    gc.freeze()  # what is loaded by now is no garbage: collecting after each seed need not look at it
    with context.Pool(processes) as pool:
        yield from zip(tasks, pool.imap(run, tasks), strict=True)


def cut(first: int, count: int, store: Kind | None, world: World | None = None) -> list[Task]:
    """A range in pieces."""
    return [Task(at, min(CHUNK, first + count - at), store, world) for at in range(first, first + count, CHUNK)]


class Journal:
    """Which ranges are done already, at which commit: a file of JSON lines."""

    def __init__(self, path: Path, commit: str) -> None:
        self._path = path
        self._commit = commit

    def done(self) -> dict[Task, Tally]:
        """The ranges done at this commit."""
        if not self._path.exists():
            return {}
        lines = (json.loads(line) for line in self._path.read_text().splitlines())
        return {
            msgspec.convert(line["task"], Task): msgspec.convert(line["tally"], Tally)
            for line in lines
            if line["commit"] == self._commit
        }

    def add(self, task: Task, tally: Tally) -> None:
        """Note a range as done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = {"commit": self._commit, "task": msgspec.to_builtins(task), "tally": msgspec.to_builtins(tally)}
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def cores() -> int:
    """How many seeds can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
