"""How soon the claims of a process that was killed were given back, read from a history."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from ferryman.testing.history.entries import AnyEntry, Killed, Registered, Rescued, Spawned, Stopped, Stopping

WITHIN: Final = 1.0
"""Seconds: P15."""


class Return(msgspec.Struct, frozen=True):
    """A death whose claims somebody gave back."""

    process: str
    during: str
    count: int
    """How many claims they were."""
    seconds: float
    """From the death to the moment at which who gave them back had its answer."""
    watched: float
    """The same, from the moment on at which anybody was there who could: see `returns`."""


class Returns(msgspec.Struct, frozen=True, kw_only=True):
    """All of a campaign. Times in seconds; None where there were none."""

    deaths: int
    """Of processes that had a node."""
    with_claims: int
    """Those among them whose claims were given back."""
    claims: int
    median: float | None
    """From the death, where somebody of the family lived on."""
    worst: float | None
    family_dead: int
    """The others: the whole family was dead or stopping, and another one had to be started first."""
    family_dead_median: float | None
    """From the death, so the start of the new family is part of it."""
    family_dead_worst: float | None
    from_restart_worst: float | None
    """The worst of these from the moment on at which the new family had its first node process."""
    late: Sequence[str]
    """In words: those that took longer than `WITHIN` although somebody was there."""


def returns(entries: Sequence[AnyEntry]) -> tuple[int, list[Return]]:
    """How many processes that had a node died, and what became of the claims of those that had some.

    Somebody was there from the death on if the supervisor lived, or another of its node processes that was not
    asked to stop within the second; else from the moment on at which the next node process began. A process whose
    claims nobody is seen to give back is left out: it had none, or who did it died before it could say so.
    """
    ends = {each.process: each.at for each in reversed(entries) if isinstance(each, Killed | Stopping | Stopped)}
    nodes = {each.by: each for each in entries if isinstance(each, Registered)}
    rescued = {each.node: each for each in reversed(entries) if isinstance(each, Rescued)}
    dead = [each for each in entries if isinstance(each, Killed) and each.process in nodes]
    found: list[Return] = []
    for kill in dead:
        back = rescued.get(nodes[kill.process].node)
        if back is None or not back.count:
            continue
        since = kill.at if _somebody_stays(entries, ends, kill) else _next_process(entries, nodes, kill.at, back.at)
        seconds, watched = back.at - kill.at, max(0.0, back.at - since)
        found.append(Return(kill.process, kill.during or "at any time", back.count, seconds, watched))
    return len(dead), found


def summary(deaths: int, found: Sequence[Return]) -> Returns:
    """The figures."""
    stayed = [each.seconds for each in found if each.watched == each.seconds]
    alone = [each for each in found if each.watched != each.seconds]
    return Returns(
        deaths=deaths,
        with_claims=len(found),
        claims=sum(each.count for each in found),
        median=_median(stayed),
        worst=_worst(stayed),
        family_dead=len(alone),
        family_dead_median=_median([each.seconds for each in alone]),
        family_dead_worst=_worst([each.seconds for each in alone]),
        from_restart_worst=_worst([each.watched for each in alone]),
        late=[
            f"the claims of {each.process}, killed while {each.during}, were given back after {each.watched:.2f} s"
            for each in found
            if each.watched > WITHIN
        ],
    )


def _somebody_stays(entries: Sequence[AnyEntry], ends: dict[str, float], kill: Killed) -> bool:
    """Whether the supervisor of a killed process, or a sibling with a node, lived on for as long as is promised."""
    parent = kill.process.rpartition("-")[0]
    kin = {each.process for each in _before(entries, kill.at) if isinstance(each, Spawned) and each.process == parent}
    kin |= {each.by for each in _before(entries, kill.at) if isinstance(each, Registered)} - {kill.process}
    return any(ends.get(name, float("inf")) > kill.at + WITHIN for name in kin)


def _before(entries: Sequence[AnyEntry], at: float) -> Iterator[AnyEntry]:
    return (each for each in entries if each.at <= at)


def _next_process(entries: Sequence[AnyEntry], nodes: Mapping[str, object], died: float, back: float) -> float:
    """When the next node process began; or when the claims were given back, if nobody had to be waited for."""
    begun = (each.at for each in entries if isinstance(each, Spawned) and each.process in nodes and each.at > died)
    return min(next(begun, back), back)


def _median(seconds: Sequence[float]) -> float | None:
    return round(statistics.median(seconds), 3) if seconds else None


def _worst(seconds: Sequence[float]) -> float | None:
    return round(max(seconds), 3) if seconds else None
