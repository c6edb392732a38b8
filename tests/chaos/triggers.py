"""Where a process dies: at a point of its work, not at a time of the clock.

The campaign writes a line to the process's standard input, such as `3 before commit`: pass that point
three times, and die at the next. The process kills itself there, so nothing runs after that point.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ferryman.testing.history.entries import Killed
from tests.chaos.journal import NEMESIS, Journal

POINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "insert asked": "accepting",  # nothing is stored yet
        "insert done": "accepting",  # stored, and the client has no answer
        "claim done": "claimed",  # no handler has started
        "handler started": "running",
        "before commit": "in transaction",  # rows are written, and not committed
        "finish asked": "flushing",  # handlers have ended, nothing is written
        "finish done": "flushing",  # outcomes are written, and the node has not heard
    }
)
"""Every point, and what is in flight there: one of `ferryman.testing.history.entries.IN_FLIGHT`."""


class Triggers:
    """The points of one process. `reach` is called by its threads, `arm` by the one that listens to the campaign."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._point = ""
        self._passes = 0

    def arm(self, point: str, passes: int) -> None:
        """Die at a point, once it has been passed so often. Only the last point that was asked for counts."""
        self._passes = passes
        self._point = point

    def reach(self, point: str) -> None:
        """Work has come to this point."""
        if self._point != point:
            return
        if self._passes:
            self._passes -= 1
            return
        self.die(POINTS[point])

    def die(self, during: str) -> None:
        """Die here and now."""
        self._journal.note(Killed, by=NEMESIS, process=self._journal.name, during=during)
        os.kill(os.getpid(), signal.SIGKILL)

    def listen(self, lines: Iterable[str]) -> None:
        """Arm what the lines say. When they end, the campaign is gone, and so is this process."""
        for line in lines:
            self.arm(*parse(line))
        os.kill(os.getpid(), signal.SIGKILL)


def spell(point: str, passes: int) -> str:
    """The line that asks for a death."""
    return f"{passes} {point}\n"


def parse(line: str) -> tuple[str, int]:
    """The point and the number of passes that a line asks for.

    Raises:
        ValueError: it asks for neither.
    """
    passes, _, point = line.strip().partition(" ")
    if point not in POINTS:
        raise ValueError(f"There is no point {point!r}.")
    return point, int(passes)
