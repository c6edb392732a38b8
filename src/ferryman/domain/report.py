"""What a run says of itself while it is under way: how far it is, and what it logs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """How far a run is. Of all that it says of this, the newest counts."""

    done: int | float
    total: int | float | None
    message: str
    at: int
    """When it said so, in microseconds."""

    @property
    def fraction(self) -> float | None:
        """`done` of `total`, from 0 to 1; None where there is no total."""
        return None if not self.total else min(1.0, max(0.0, self.done / self.total))


class ProgressOf(msgspec.Struct, frozen=True):
    """The last progress of a job, and the claim number of the run that said so."""

    number: int
    progress: Progress


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line that a run has logged. A traceback is part of its message."""

    at: int
    level: str
    """In lower case."""
    logger: str
    message: str


class LogLine(msgspec.Struct, frozen=True):
    """A line with its run, and its place among the lines of that run, which count from 0."""

    number: int
    attempt: int
    place: int
    line: Line


class Logs(msgspec.Struct, frozen=True):
    """Lines in the order of (claim number, place), and how many of these runs were not kept."""

    lines: Sequence[LogLine]
    dropped: int = 0


class Report(msgspec.Struct, frozen=True):
    """What one run has said and nobody has written yet."""

    id: str
    number: int
    attempt: int
    batch: int
    token: int
    """The run's own: once the run has ended, only the one that its outcome bears may still report."""
    progress: Progress | None = None
    first: int = 0
    """The place of the first of the lines."""
    lines: Sequence[Line] = ()
    dropped: int = 0
    """How many of its lines were not kept, in all."""
