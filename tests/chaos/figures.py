"""The figures of a campaign, read from its history: what there was to survive, and what became of it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from ferryman.domain.state import TERMINAL
from ferryman.testing.history.entries import (
    IN_FLIGHT,
    Answered,
    Calm,
    Ended,
    Killed,
    Paused,
    Rescued,
    RunKey,
    Started,
    Stopped,
    Wrote,
)
from ferryman.testing.history.history import History

TIMES_EACH: Final = 5
FULL_LENGTH: Final = 600.0
"""In a campaign of so many seconds each class of death has to occur so often; in a shorter one less."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds."""

    accepted: int
    starts: int
    most_starts: int
    """Of one job."""
    lost: int
    """Accepted, and not in the store."""
    stuck: int
    """In the store, and not ended."""
    double_commits: int
    fenced: int
    """Writes that changed nothing, because the claim was no longer theirs."""
    rescued: int
    """Claims that were given back after the death of a node."""
    deaths: Mapping[str, int]
    """By what the process was doing; `at any time` where that is not known."""
    pauses: int
    blocked_loops: int
    stops: Mapping[str, int]
    """By exit code."""
    cut_off: int
    """Runs that a death ended."""
    recovery_median: float | None
    """From a death to the next start of the first job that it cut off."""
    recovery_worst: float | None
    calm_recovery_worst: float | None
    """The same for deaths while nothing else was wrong."""
    entries: int


def figures(history: History) -> Figures:
    """Count."""
    entries, final = history.entries, history.final
    starts = Counter(entry.job for entry in entries if isinstance(entry, Started))
    accepted = {entry.job for entry in entries if isinstance(entry, Answered) and entry.job}
    commits = (sum(each.status == "completed" for each in runs) for runs in final.attempts.values())
    calm = next((place for place, entry in enumerate(entries) if isinstance(entry, Calm)), len(entries))
    cut_off, recoveries = _recoveries(history)
    deaths = Counter(entry.during or "at any time" for entry in entries if isinstance(entry, Killed))
    stops = Counter(str(entry.code) for entry in entries if isinstance(entry, Stopped))
    pauses = Counter(entry.loop_only for entry in entries if isinstance(entry, Paused))
    every = [seconds for _, seconds in recoveries]
    return Figures(
        accepted=len(accepted),
        starts=starts.total(),
        most_starts=max(starts.values(), default=0),
        lost=len(accepted - final.jobs.keys()),
        stuck=sum(job.status not in TERMINAL for job in final.jobs.values()),
        double_commits=sum(count > 1 for count in commits),
        fenced=sum(len(entry.fenced) for entry in entries if isinstance(entry, Wrote)),
        rescued=sum(entry.count for entry in entries if isinstance(entry, Rescued)),
        deaths={during: deaths[during] for during in (*IN_FLIGHT, "at any time")},
        pauses=pauses[False],
        blocked_loops=pauses[True],
        stops=dict(sorted(stops.items())),
        cut_off=cut_off,
        recovery_median=_rounded(statistics.median(every) if every else None),
        recovery_worst=_rounded(max(every, default=None)),
        calm_recovery_worst=_rounded(max((seconds for place, seconds in recoveries if place > calm), default=None)),
        entries=len(entries),
    )


def missing(found: Figures, duration: float) -> list[str]:
    """The classes of deaths that did not occur often enough for a campaign of this length."""
    target = max(1, round(TIMES_EACH * duration / FULL_LENGTH))
    return [
        f"only {found.deaths[during]} deaths while {during}, of {target} that are wanted"
        for during in IN_FLIGHT
        if found.deaths[during] < target
    ]


def _recoveries(history: History) -> tuple[int, list[tuple[int, float]]]:
    """How many runs deaths cut off, and (place of the death, seconds until the first of its jobs started again)."""
    running: dict[str, set[RunKey]] = {}
    waiting: list[tuple[int, float, set[str]]] = []
    recoveries: list[tuple[int, float]] = []
    count = 0
    for place, entry in enumerate(history.entries):
        match entry:
            case Started():
                running.setdefault(entry.by, set()).add((entry.job, entry.number))
                recoveries += [(at, entry.at - since) for at, since, jobs in waiting if entry.job in jobs]
                waiting = [each for each in waiting if entry.job not in each[2]]
            case Ended():
                running.setdefault(entry.by, set()).discard((entry.job, entry.number))
            case Killed():
                runs = running.pop(entry.process, set())
                count += len(runs)
                if jobs := {job for job, number in runs if _runs_again(history, job, number)}:
                    waiting.append((place, entry.at, jobs))
            case _:
                pass
    return count, recoveries


def _runs_again(history: History, job: str, number: int) -> bool:
    """Whether a run was lost and the job then ran again by itself: nobody cancelled it, or sent it back by hand."""
    rows = {row.number: row for row in history.final.attempts.get(job, ())}
    lost, following = rows.get(number), rows.get(number + 1)
    return lost is not None and lost.what == "lost" and following is not None and following.node is not None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
