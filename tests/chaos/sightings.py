"""What hostile and harmless handlers wrote down, line by line, and how soon each worker ran its next job."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

UNTIL: Final = "until:"
Run = tuple[str, int]
"""(job id, claim number)"""


class Sighting(msgspec.Struct, frozen=True):
    """One line: see `hostile_target.say`."""

    at: float
    worker: str
    job: str
    number: int
    type: str
    what: str


def read(path: Path) -> list[Sighting]:
    """All lines, in the order of their times."""
    found = [line.split() for line in path.read_text("utf-8").splitlines()]
    lines = [Sighting(float(at), worker, job, int(number), *rest) for at, worker, job, number, *rest in found]
    return sorted(lines, key=lambda each: each.at)


def slots(log: Sequence[Sighting], types: Collection[str]) -> dict[str, list[float]]:
    """By type: seconds from a run's deadline or death until its worker began the next run.

    A run that told its deadline is over then; another one dies just after its last line. Runs after which their
    worker began none any more are left out: the log ends there.
    """
    lines: dict[Run, list[Sighting]] = {}
    workers: dict[str, list[Sighting]] = {}
    for each in log:
        lines.setdefault((each.job, each.number), []).append(each)
        if each.what == "begin":
            workers.setdefault(each.worker, []).append(each)
    found: dict[str, list[float]] = {type: [] for type in types}
    for begun in workers.values():
        for run, following in pairwise(begun):
            if run.type in types:
                found[run.type].append(following.at - _over(lines[run.job, run.number]))
    return found


def _over(lines: Sequence[Sighting]) -> float:
    """When a run was over."""
    told = (float(each.what.removeprefix(UNTIL)) for each in lines if each.what.startswith(UNTIL))
    return next(told, lines[-1].at)
