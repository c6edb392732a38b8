"""An event loop whose time jumps to the next timer when nothing is ready: a day of waiting costs nothing."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from ferryman.domain.job import MICROS
from ferryman.testing.clock import EPOCH

T = TypeVar("T")

STILL: Final = 1000
"""How many turns of the loop may fall on one moment; after them each takes a TICK. Who waits for a time that lies
between two floats would else look at a standing clock for ever."""
TICK: Final = 1e-9
END: Final = 10_000.0
"""Virtual seconds that a run may take."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time` starts at 0. Not for work in threads: time would run away from them."""

    def __init__(self, end: float = END, selector: Jumping | None = None) -> None:
        """`end` is the time at which a run has gone wrong: something waits for what never comes."""
        self._selector_of_time = selector or Jumping(end)
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._selector_of_time.now


class VirtualClock:
    """Implements the store's `Clock` with the time of a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._offset = EPOCH

    def now(self) -> int:
        """The wall clock, in microseconds since 1970 in UTC."""
        return self._offset + round(self._loop.time() * MICROS)

    def monotonic(self) -> float:
        """The loop's seconds."""
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or, with a negative number, back; no time passes."""
        self._offset += round(seconds * MICROS)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a virtual loop of its own.

    Raises:
        AssertionError: something is waited for that nothing brings about.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class Jumping(selectors.SelectSelector):
    """Moves the time on instead of waiting."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self.now = 0.0
        self._end = end
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; if that is nothing, `timeout` has passed."""
        if timeout is None:
            raise AssertionError("Every task waits, and no timer is set: this would wait for ever.")
        self._turns = 0 if timeout > 0 else self._turns + 1
        if self._turns < STILL:
            self.now += timeout
        else:  # after some months a TICK is too little to be seen
            self.now = max(self.now + TICK, math.nextafter(self.now, math.inf))
        if self.now > self._end:
            self._end *= 2  # once is enough: whoever cleans up may take its time
            raise AssertionError(f"Virtual time has come to {self.now:g} s, and still something is waited for.")
        return super().select(0)
