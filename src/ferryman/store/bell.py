"""Wakeups between processes: what one process knows, the nodes of others should look at."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class Ring(StrEnum):
    """What a ring says: where to look. It carries nothing else, and may be lost."""

    WORK = "w"
    SCHEDULED = "s"
    CANCELLED = "c"


class Bell(Protocol):
    """Rings at every other node of the store."""

    def listen(self, name: str, rung: Callable[[Ring], None]) -> None:
        """Call `rung` on the running loop when another process rings; `name` is unique among processes."""

    def ring(self, what: Ring) -> None:
        """Tell every other node. Never fails, never waits."""

    def close(self) -> None:
        """Listen no more. Idempotent."""


class Silent:
    """The bell of a store that no other process can see."""

    def listen(self, name: str, rung: Callable[[Ring], None]) -> None:
        """Nobody will ring."""

    def ring(self, what: Ring) -> None:
        """Nobody would hear."""

    def close(self) -> None:
        """Nothing to close."""


class Ringing:
    """Implements the store's `Wakeup` by ringing at other processes."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell

    def work(self) -> None:
        """Some job may be pending."""
        self._bell.ring(Ring.WORK)

    def scheduled(self, run_at: int) -> None:
        """Some job is scheduled; when it is due, the store knows."""
        self._bell.ring(Ring.SCHEDULED)

    def cancelled(self, node: str | None) -> None:
        """Some running job was asked to end."""
        self._bell.ring(Ring.CANCELLED)
