"""Who of a supervised family dies, and where: the orders that a node process gets from the campaign.

A node process reads them from a pipe of its own in the campaign's folder, `<process>.orders`; a line such as
`parent and child/3/before commit` means: pass that point three times, and at the next kill the parent, then yourself.
What waits in `newborn.orders` is for the next process that starts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ferryman.testing.history.entries import Killed
from tests.chaos.journal import NEMESIS, Journal
from tests.chaos.triggers import POINTS, Triggers

CHILD: Final = "child"
PARENT: Final = "parent"
BOTH: Final = "parent and child"
ALL: Final = "all"
VICTIMS: Final = (CHILD, PARENT, BOTH, ALL)
"""Who can be killed at once; the child is the process that has come to the point."""
IDLE: Final = "idle"
ANY_TIME: Final = "at any time"
NOW: Final = (IDLE, ANY_TIME)
"""Points at which a process is the moment it is asked: with nothing to do, or wherever it is."""
JUST_STARTED: Final = "just started"
MOMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {**POINTS, "process started": JUST_STARTED, "node registered": JUST_STARTED, **{point: point for point in NOW}}
)
"""Every point, and what is under way there."""
SUFFIX: Final = ".orders"
NEWBORN: Final = "newborn" + SUFFIX


class Orders(Triggers):
    """The orders of one node process. Its name is its parent's, a dash, and its process id."""

    def __init__(self, journal: Journal, folder: Path) -> None:
        """Make the pipe; orders for whoever is born next are taken at once."""
        super().__init__(journal)
        self._folder = folder
        self._victims = CHILD
        pipe = folder / (journal.name + SUFFIX)
        os.mkfifo(pipe)
        # open for both, so that there is always somebody who could still write
        self._descriptor = os.open(pipe, os.O_RDWR)
        first = folder / f"{journal.name}.first"
        with contextlib.suppress(FileNotFoundError):
            (folder / NEWBORN).rename(first)
            self.obey(first.read_text("utf-8"))

    def follow(self) -> None:
        """Obey what comes, for ever."""
        with os.fdopen(self._descriptor, encoding="utf-8") as lines:
            for line in lines:
                self.obey(line)

    def obey(self, line: str) -> None:
        """Be armed by a line; where its point is now, die."""
        self._victims, passes, point = line.strip().split("/")
        if point in NOW:
            self.die(point)
        else:
            self.arm(point, int(passes))

    def reach(self, point: str) -> None:
        """See `Triggers.reach`; there are more points here."""
        if self._point != point:
            return
        if self._passes:
            self._passes -= 1
            return
        self.die(MOMENTS[point])

    def die(self, during: str) -> None:
        """Kill whom the order names, this process last."""
        self.arm("", 0)
        for name, pid in self._others():
            at = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self._journal.note(Killed, at=at, by=NEMESIS, process=name, during=during)
        if self._victims != PARENT:
            super().die(during)

    def _others(self) -> Iterator[tuple[str, int]]:
        parent = self._journal.name.rpartition("-")[0]
        if self._victims != CHILD:
            yield parent, os.getppid()
        if self._victims == ALL:
            mine = os.getpid()
            for pipe in living(self._folder, parent):
                name = pipe.name.removesuffix(SUFFIX)
                pid = int(name.rpartition("-")[2])
                if pid != mine:
                    yield name, pid


def spell(victims: str, passes: int, point: str) -> str:
    """The line that asks for deaths."""
    return f"{victims}/{passes}/{point}\n"


def living(folder: Path, parent: str) -> list[Path]:
    """The pipes of the node processes that a parent has now."""
    return [pipe for pipe in sorted(folder.glob(f"{parent}-*{SUFFIX}")) if tell(pipe, "")]


def tell(pipe: Path, line: str) -> bool:
    """Give an order; False where nobody lives who could read it."""
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
    return True
