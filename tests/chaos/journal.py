"""Journals: each process writes what it sees into a file of its own, and the campaign makes one history of all.

A line is one write in append mode, so a process that is killed leaves whole lines, and at most the last one cut.
All processes stamp their lines with one monotonic clock, by which the lines are put in order.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman.testing.history.entries import AnyEntry, Killed, Looked, from_line, to_line

NEMESIS: Final = "nemesis"
"""Who notes what is done to processes."""
SUFFIX: Final = ".journal"
MICROS: Final = 1_000_000


class Journal:
    """The journal of one process; any thread may write."""

    def __init__(self, folder: Path, name: str) -> None:
        """Open or make `<folder>/<name>.journal`; `name` is the process's."""
        self.folder, self.name = folder, name
        self._descriptor = os.open(folder / (name + SUFFIX), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, kind: type[AnyEntry], /, *, at: float | None = None, by: str | None = None, **fields: Any) -> None:
        """Write an entry down: as of now, and as this process, unless said otherwise."""
        entry = kind(at=time.monotonic() if at is None else at, by=by or self.name, **fields)
        os.write(self._descriptor, to_line(entry))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def moment() -> int:
    """Now, as `Looked.asked` has it in a journal: nobody there knows places in the history (see `merge`)."""
    return round(time.monotonic() * MICROS)


def read(folder: Path) -> list[AnyEntry]:
    """The history that the journals of a folder tell."""
    return merge([list(_lines(path)) for path in sorted(folder.glob("*" + SUFFIX))])


def merge(journals: Iterable[Iterable[AnyEntry]]) -> list[AnyEntry]:
    """One history from the entries of each process."""
    entries = sorted((entry for journal in journals for entry in journal), key=lambda entry: entry.at)
    entries = sorted(_buried(entries), key=lambda entry: entry.at)
    times = [entry.at for entry in entries]
    return [_placed(entry, times) if isinstance(entry, Looked) else entry for entry in entries]


def _lines(path: Path) -> Iterator[AnyEntry]:
    lines = path.read_bytes().split(b"\n")
    for line in lines[:-1]:  # what follows the last newline was cut off by a kill
        yield from_line(line)


def _buried(entries: list[AnyEntry]) -> Iterator[AnyEntry]:
    """A death is noted just before it comes, and other threads write until then: it stands after their lines."""
    last: dict[str, float] = {}
    for entry in entries:
        last[entry.by] = entry.at
    for entry in entries:
        if isinstance(entry, Killed) and last.get(entry.process, 0.0) >= entry.at:
            yield msgspec.structs.replace(entry, at=last[entry.process] + 1 / MICROS)
        else:
            yield entry


def _placed(look: Looked, times: list[float]) -> AnyEntry:
    """A look whose beginning is told by its place."""
    return msgspec.structs.replace(look, asked=bisect_left(times, look.asked / MICROS))
