"""The history under way: everybody notes what they do and see."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any

from ferryman.testing.history.entries import AnyEntry


class Notes:
    """A list of entries; its length is the place of the next one."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.entries: list[AnyEntry] = []
        self._time = loop.time
        self._calls = 0

    def __len__(self) -> int:
        return len(self.entries)

    def note(self, kind: Callable[..., AnyEntry], by: str, /, **fields: Any) -> None:
        """Write an entry down, now."""
        self.entries.append(kind(at=self._time(), by=by, **fields))

    def call(self) -> int:
        """A number that joins the entries of one call."""
        self._calls += 1
        return self._calls
