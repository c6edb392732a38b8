"""Any number of deadlines on one timer of the event loop.

Most deadlines are cancelled long before they are due: a run that suspends makes one, and an hour is a
usual timeout. So setting and cancelling must cost next to nothing (a timer object of the loop per job
costs ten times as much), and the cancelled ones must not pile up for an hour.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

log: Final = logging.getLogger("ferryman.engine")

_CLEAN_FROM: Final = 64
"""Fewer cancelled deadlines than this are not worth cleaning up."""


class Deadline:
    """One pending call; `cancel` takes it back."""

    __slots__ = ("_heap", "call", "when")

    def __init__(self, when: float, call: Callable[[], None], heap: Deadlines) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call
        self._heap = heap

    def cancel(self) -> None:
        """Do not call; nothing happens where it was called or cancelled before."""
        if self.call is not None:
            self.call = None
            self._heap.forget_one()


class Deadlines:
    """Calls things at their times, on the event loop."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives the seconds in which `at` counts."""
        self._monotonic = monotonic
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()
        self._cancelled = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, call: Callable[[], None]) -> Deadline:
        """Call once when the monotonic clock shows `when`; deadlines of one time in the order of asking."""
        deadline = Deadline(when, call, self)
        heappush(self._heap, (when, next(self._order), deadline))
        self._arm(when)
        return deadline

    def after(self, seconds: float, call: Callable[[], None]) -> Deadline:
        """Call once, so many seconds from now."""
        return self.at(self._monotonic() + seconds, call)

    def forget_one(self) -> None:
        """A deadline was cancelled; clean up once most of them are."""
        self._cancelled += 1
        if self._cancelled >= _CLEAN_FROM and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapify(self._heap)
            self._cancelled = 0

    def _arm(self, when: float) -> None:
        """See to it that the timer goes off by then."""
        if self._timer is not None:
            if self._timer_at <= when:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, when - self._monotonic()), self._ring)
        self._timer_at = when

    def _ring(self) -> None:
        """The timer went off: call what is due, then wait for the next."""
        self._timer = None
        now = self._monotonic()
        while self._heap and (self._heap[0][0] <= now or self._heap[0][2].call is None):
            call, deadline = None, heappop(self._heap)[2]
            call, deadline.call = deadline.call, None
            if call is None:
                self._cancelled -= 1
            else:
                _guarded(call)
        if self._heap:  # a call may have armed the timer for a deadline of its own, and others come first
            self._arm(self._heap[0][0])


def _guarded(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        log.exception("A deadline's call failed.")
