"""What a crash test has found, and how people read it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ferryman.crashing.points import Point

SHOWN: Final = 5
"""Points in a row of the table; in most handlers one fault is met at many."""
_CELL: Final = 60


class Scenario(StrEnum):
    """What was done to the node."""

    KILLED = "killed"
    """kill -9 at a point; another node runs the job again."""
    OVERTAKEN = "overtaken"
    """Frozen at a point until another node has run the job; then it goes on, and knows nothing of that."""
    KILLED_TWICE = "killed twice"
    """kill -9 at a point, and once more in the next run."""


class Finding(msgspec.Struct, frozen=True):
    """An effect that is not what it should be, or a job that did not complete."""

    scenario: Scenario
    points: tuple[Point, ...]
    effect: str
    """Which effect; empty where the finding is about the job."""
    what: str
    """doubled, lost or changed. Of the job: failed or cancelled, or as `Hung` names it."""
    detail: str
    expected: object = None
    got: object = None
    """The effect after an undisturbed run, and after this one."""


class CrashReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every trial; as text it is a table for people."""

    type: str
    seed: int
    most: int
    met: int
    """Points of the undisturbed run."""
    tried: int
    """How many of them were tried."""
    trials: int
    findings: tuple[Finding, ...]
    missed: tuple[Point, ...]
    """Points that the handler did not come to when it ran again: it goes another way each time."""
    held: tuple[Point, ...]
    """Points at which the handler keeps everybody else from writing, so that nobody could overtake it."""
    unchanged: tuple[str, ...]
    """Effects that an undisturbed run does not change."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        return "\n".join([self._title(), *_table(self.findings), *self._notes()])

    def _title(self) -> str:
        found = "nothing found" if self.ok else f"{_count(len(self.findings), 'finding')}"
        points = f"{self.tried} of {self.met} points" if self.tried < self.met else _count(self.met, "point")
        return f"crash_test of {self.type}: {_count(self.trials, 'trial')} at {points}: {found}"

    def _notes(self) -> list[str]:
        notes: list[str] = []
        if self.missed:
            notes.append(f"Not reached again, at {_some(_alone(self.missed))}: the handler went another way.")
        if self.held:
            notes.append(f"Not overtaken, at {_some(_alone(self.held))}: there the handler keeps others from writing.")
        if self.unchanged:
            notes.append(f"Not changed by an undisturbed run: {', '.join(self.unchanged)}.")
        if not self.ok:
            notes.append(f"The same trials again: crash_test(..., seed={self.seed}, most={self.most})")
        return notes


def _table(findings: tuple[Finding, ...]) -> list[str]:
    """Findings that differ in their points only share a row."""
    rows: dict[tuple[str, ...], list[tuple[Point, ...]]] = {}
    for each in findings:
        row = (str(each.scenario), each.effect or "the job", each.what, _cut(each.detail))
        rows.setdefault(row, []).append(each.points)
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    return [
        "  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=True)), f"at {_some(found)}"])
        for row, found in rows.items()
    ]


def _some(found: Sequence[tuple[Point, ...]]) -> str:
    """A few points; all are in one file, that of the first."""
    first, *others = found[:SHOWN]
    places = [" then ".join([str(first[0]), *(each.place for each in first[1:])])]
    places += [" then ".join(each.place for each in points) for points in others]
    rest = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(places) + rest


def _alone(points: Sequence[Point]) -> list[tuple[Point, ...]]:
    return [(each,) for each in points]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CELL else f"{line[: _CELL - 3]}..."
