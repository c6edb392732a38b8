"""A clock that stands still until it is told otherwise."""

from __future__ import annotations

from typing import Final

from ferryman.domain.job import MICROS

EPOCH: Final = 1_767_225_600 * MICROS
"""2026-01-01T00:00:00Z, in microseconds: where a manual clock starts."""


class ManualClock:
    """Both of the store's times, moved by hand; implements the store's `Clock`."""

    def __init__(self, now: int = EPOCH, monotonic: float = 0.0) -> None:
        """`now` is in microseconds since 1970 in UTC, `monotonic` in seconds."""
        self._now = now
        self._monotonic = monotonic

    def now(self) -> int:
        """The wall clock, in microseconds."""
        return self._now

    def monotonic(self) -> float:
        """The clock that never jumps, in seconds."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on both."""
        self._now += round(seconds * MICROS)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or, with a negative number, back; no time passes."""
        self._now += round(seconds * MICROS)
