"""Whether every node is at work, as its journal says while the campaign goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ferryman.testing.history.entries import Started, to_line
from tests.chaos.fleet import Slot
from tests.chaos.journal import SUFFIX

_START: Final = to_line(Started(at=0.0, by="", job="", number=0, attempt=0, node="")).partition(b",")[0]
"""How the line of a start begins."""


class Working:
    """Watches the processes of some places for starts of handlers."""

    def __init__(self, slots: Sequence[Slot], journals: Path) -> None:
        self._slots = slots
        self._journals = journals

    def watch(self) -> Callable[[], bool]:
        """Begin; what is given says whether each process that is usable now has started a handler since, or is gone."""
        begun = {name: self._size(name) for slot in self._slots if (name := _usable(slot)) is not None}

        def well() -> bool:
            usable = {_usable(slot) for slot in self._slots}
            for name in [each for each in begun if each not in usable or self._started(each, begun[each])]:
                del begun[name]
            return not begun

        return well

    def _size(self, name: str) -> int:
        return (self._journals / (name + SUFFIX)).stat().st_size

    def _started(self, name: str, since: int) -> bool:
        with (self._journals / (name + SUFFIX)).open("rb") as journal:
            journal.seek(since)
            return any(line.startswith(_START) for line in journal)


def _usable(slot: Slot) -> str | None:
    return slot.process.name if slot.process is not None and slot.usable else None
