"""What this process has counted: plain sums, kept cheap because every job passes here."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ferryman.domain.events import (
    Ended,
    Enqueued,
    Event,
    JobCancelledByRequest,
    JobsRescued,
    ReportsFenced,
    RunsEnded,
    StaleStart,
    WritesFenced,
)
from ferryman.domain.job import MICROS
from ferryman.domain.outcome import Finish, What
from ferryman.domain.state import TERMINAL

BOUNDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0,
)  # fmt: skip
"""Upper bounds of the histograms' buckets, in seconds."""

LAGS_KEPT: Final = 240
"""How many looks at the loop's lag are kept: a minute's, at four a second."""

_BOUNDS: Final = tuple(round(bound * MICROS) for bound in BOUNDS)


class Histogram:
    """How many times lay below each bound; in microseconds inside, as that is what events carry."""

    __slots__ = ("_counts", "_sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._sum = 0

    def add(self, micros: int) -> None:
        """Count one time; a clock that went back makes it none."""
        self._counts[bisect_left(_BOUNDS, micros)] += 1
        if micros > 0:
            self._sum += micros

    def add_all(self, counts: Sequence[int], micros: int) -> None:
        """Add what another histogram counted."""
        for place, count in enumerate(counts):
            self._counts[place] += count
        self._sum += micros

    @property
    def micros(self) -> int:
        """All times together, in microseconds."""
        return self._sum

    @property
    def counts(self) -> Sequence[int]:
        """Per bucket, not summed up; the last one is for what is above every bound."""
        return self._counts

    @property
    def seconds(self) -> float:
        """All times together."""
        return self._sum / MICROS


class Counted(msgspec.Struct, frozen=True):
    """What one process has counted in a while, for another one that adds it up."""

    jobs: list[tuple[str, str, str, int]]
    enqueued: list[tuple[str, str, int]]
    fenced_writes: int
    stale_starts: int
    rescued: int
    waits: dict[str, tuple[list[int], int]]
    """By type: how many per bucket, and microseconds together."""
    runs: dict[str, tuple[list[int], int]]
    loop_lag: float
    """The longest of the last minute, in seconds."""


class Metrics:
    """A listener of domain events. Everything counts from the start of the process.

    The outcome of a run is the status that it ended in where that is final (completed, failed, cancelled), else
    `retried` for a failure that is tried again, else what happened (snoozed, released, interrupted, lost).
    """

    def __init__(self) -> None:
        self.jobs: Counter[tuple[str, str, str]] = Counter()
        """(outcome, type, queue) -> runs that ended so; a job cancelled while it waited counts too."""
        self.enqueued: Counter[tuple[str, str]] = Counter()
        """(type, queue) -> jobs accepted."""
        self.fenced_writes = 0
        self.stale_starts = 0
        self.rescued = 0
        self._waits: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._runs: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._lags: deque[float] = deque([0.0], maxlen=LAGS_KEPT)

    @property
    def waits(self) -> Mapping[str, Histogram]:
        """By type: from being due to the first start."""
        return self._waits

    @property
    def runs(self) -> Mapping[str, Histogram]:
        """By type: from each start to its end."""
        return self._runs

    @property
    def loop_lag(self) -> float:
        """The longest in the last minute that the event loop was late, in seconds."""
        return max(self._lags)

    def see_loop_lag(self, seconds: float) -> None:
        """Note how late the event loop is now."""
        self._lags.append(seconds)

    def take(self) -> Counted:
        """What was counted since the last time that it was taken; it begins from nothing again."""
        counted = Counted(
            [(*labels, count) for labels, count in self.jobs.items()],
            [(*labels, count) for labels, count in self.enqueued.items()],
            self.fenced_writes,
            self.stale_starts,
            self.rescued,
            {name: (list(each.counts), each.micros) for name, each in self._waits.items()},
            {name: (list(each.counts), each.micros) for name, each in self._runs.items()},
            self.loop_lag,
        )
        for counts in (self.jobs, self.enqueued, self._waits, self._runs):
            counts.clear()
        self.fenced_writes = self.stale_starts = self.rescued = 0
        return counted

    def add(self, counted: Counted) -> None:
        """Add what another process has counted."""
        for outcome, type_name, queue, count in counted.jobs:
            self.jobs[outcome, type_name, queue] += count
        for type_name, queue, count in counted.enqueued:
            self.enqueued[type_name, queue] += count
        self.fenced_writes += counted.fenced_writes
        self.stale_starts += counted.stale_starts
        self.rescued += counted.rescued
        for type_name, (counts, micros) in counted.waits.items():
            self._waits[type_name].add_all(counts, micros)
        for type_name, (counts, micros) in counted.runs.items():
            self._runs[type_name].add_all(counts, micros)
        self.see_loop_lag(counted.loop_lag)

    def listen(self, event: Event) -> None:
        """Count an event."""
        match event:
            case RunsEnded():
                for ended in event.runs:
                    self._count(ended)
            case Enqueued():
                self.enqueued[event.type, event.queue] += event.count
            case WritesFenced():
                self.fenced_writes += len(event.runs)
            case ReportsFenced():
                self.fenced_writes += len(event.jobs)
            case StaleStart():
                self.stale_starts += 1
            case JobsRescued():
                self.rescued += event.count
            case JobCancelledByRequest(running=False):
                self.jobs["cancelled", event.type, event.queue] += 1
            case _:
                pass

    def _count(self, ended: Ended) -> None:
        job, finish = ended.job, ended.finish
        queue, type_name, _ = finish.lane
        # one comparison for the common case: to hash a member of an enum takes a call into Python
        outcome = "completed" if finish.what is What.DONE else _outcome(finish)
        self.jobs[outcome, type_name, queue] += 1
        started_at = finish.started_at
        if started_at is None:
            return
        self._runs[type_name].add(finish.finished_at - started_at)
        if job.number == 1:  # later claims had other times to be due, which nobody kept
            due = job.created_at if job.run_at is None else max(job.created_at, job.run_at)
            self._waits[type_name].add(started_at - due)


def _outcome(finish: Finish) -> str:
    """What a run is counted as, as a plain text."""
    if finish.status in TERMINAL:
        return finish.status.value
    return "retried" if finish.what is What.FAILED else finish.what.value
