"""How many jobs to hold ready: as many as will be done while the next claim is on its way, twice over.

Two estimates of that number, and the smaller one counts:
- what was done since the last claim, scaled to the time of one round trip. It knows what the machine
  really does, but takes ten jobs that happen to end together for a rate of thousands;
- what the workers can do in a round trip, going by how long runs take. It is not fooled by that, but
  does not know that the workers share one core.
Both look back: as long as workers have to wait for claims that come back full, the number is doubled.
So ten workers with 1-second jobs hold nothing ready, that another node could be running, while jobs that
do nothing come in batches that grow by themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ferryman.domain.job import MICROS
from ferryman.domain.outcome import Finish

LONG: Final = 0.5
"""Seconds from which runs are so long that holding one ready gains nothing."""

MOST: Final = 1000.0
"""Runs in a round trip; what is held ready for more would be many jobs in one node's hands."""


class Prefetch:
    """Learns from claims and ended runs."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._expected = 0.0
        self._seconds = 0.0
        """How long a run takes."""
        self._ended = 0
        self._spent = 0
        self._since: float | None = None

    def ended(self, finishes: Collection[Finish]) -> None:
        """These runs have ended."""
        self._ended += len(finishes)
        spent = sum([finish.finished_at - finish.started_at for finish in finishes if finish.started_at is not None])
        self._spent += max(0, spent)  # the wall clock may have gone back

    def claimed(self, asked: float, now: float, *, starved: bool) -> None:
        """A claim was asked for and has arrived, in seconds of the monotonic clock.

        `starved`: it gave all that it was asked for, and workers had to wait for it.
        """
        if self._ended:
            seconds = self._spent / self._ended / MICROS
            self._seconds = (self._seconds + seconds) / 2 if self._seconds else seconds
        if self._since is not None and now > self._since:
            self._expect(now - asked, now - self._since, starved=starved)
        self._since = now
        self._ended = self._spent = 0

    @property
    def trip(self) -> int:
        """How many runs will end while a claim is on its way."""
        return int(self._expected)

    @property
    def count(self) -> int:
        """How many jobs to hold ready."""
        return int(2 * self._expected)

    def _expect(self, trip: float, cycle: float, *, starved: bool) -> None:
        """Estimate from a cycle in which `_ended` runs did end, and from its claim's round trip."""
        expected = (self._expected + self._ended * trip / cycle) / 2
        if starved:
            expected = 2 * expected
        if self._seconds:
            expected = min(expected, self._workers * trip / self._seconds) if self._seconds < LONG else 0.0
        self._expected = min(expected, MOST)
