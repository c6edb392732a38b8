"""Who did the chores that any node does for all, and when: they have to go on, whichever node dies."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from ferryman.testing.history.entries import AnyEntry, Killed
from tests.chaos.postgres.troubles import Trouble, end_of

SUFFIX: Final = ".sweeps"
Chore = Literal["promote", "rescue"]


class Sweep(msgspec.Struct, frozen=True, order=True):
    """A chore that a process has done."""

    at: float
    by: str
    chore: Chore


class HandOver(msgspec.Struct, frozen=True):
    """A process that had done a chore last was killed, and another one did it next."""

    chore: Chore
    before: str
    after: str
    seconds: float
    """From the death, or the end of what kept everybody from the server, to the next time that the chore was done."""


class Sweeps:
    """The sweeps of one process, a line each."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._descriptor = os.open(folder / (name + SUFFIX), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, chore: Chore) -> None:
        """It was done just now."""
        os.write(self._descriptor, f"{time.monotonic()} {chore}\n".encode())


def read(folder: Path) -> list[Sweep]:
    """All that the processes of a folder noted, in order."""
    return sorted(sweep for path in folder.glob("*" + SUFFIX) for sweep in _lines(path))


def _lines(path: Path) -> Iterator[Sweep]:
    for line in path.read_text("utf-8").split("\n")[:-1]:
        at, chore = line.split()
        yield Sweep(float(at), path.name.removesuffix(SUFFIX), msgspec.convert(chore, Chore))


def hand_overs(
    entries: Sequence[AnyEntry], sweeps: Sequence[Sweep], troubles: Sequence[Trouble] = ()
) -> list[HandOver]:
    """Every time that a chore went over from a process that was killed to another one."""
    found: list[HandOver] = []
    for kill in (each for each in entries if isinstance(each, Killed)):
        for chore in ("promote", "rescue"):
            done = [sweep for sweep in sweeps if sweep.chore == chore]
            last = next((sweep for sweep in reversed(done) if sweep.at <= kill.at), None)
            following = next((sweep for sweep in done if sweep.at > kill.at and sweep.by != kill.process), None)
            if last is not None and following is not None and last.by == kill.process:
                since = end_of(troubles, following.by.partition(".")[0], kill.at, following.at)
                found.append(HandOver(chore, last.by, following.by, max(0.0, following.at - since)))
    return found
