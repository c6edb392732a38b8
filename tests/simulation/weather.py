"""How the store treats one process: how long its calls take, which fail, and at which the process dies."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from itertools import repeat
from typing import Literal

from ferryman.domain.errors import StoreBusy, StoreFailed, StoreFull
from tests.simulation.loop import wake

Fate = Literal["before", "after", "slow", "stop before", "stop after", "die before", "die within", "die after"]
VERBS = (
    "insert",
    "claim",
    "finish",
    "open_batches",
    "release",
    "cancellations",
    "cancel",
    "force_cancel",
    "retry",
    "promote",
    "expire",
    "register",
    "retire",
    "rescue",
    "beat",
    "begin",
    "commit",
)


class Weather:
    """Good until somebody orders otherwise."""

    def __init__(self, dice: random.Random, *, trip: float, hiccup: float) -> None:
        """`trip` is the usual length of a call in seconds; a share of `hiccup` of them takes far longer."""
        self.dice = dice
        self.calm = False
        self._trip = trip
        self._hiccup = hiccup
        self._ordered: dict[str, deque[Fate]] = {}
        self._out = False
        self._lingering: list[asyncio.Future[None]] = []

    def trip(self) -> float:
        """How long the next step takes."""
        dice = self.dice
        if not self.calm and self._hiccup and dice.random() < self._hiccup:
            return dice.choice((0.01, 0.1, 0.6))
        return dice.random() * self._trip

    def order(self, verb: str, fate: Fate, times: int) -> None:
        """Let the next calls of a verb have this fate."""
        self._ordered.setdefault(verb, deque()).extend(repeat(fate, times))

    def outage(self, on: bool) -> None:
        """Let every call fail, or no more."""
        self._out = on

    def clear(self) -> None:
        """Nothing is made to fail any more, and what lingers goes on."""
        self.calm = True
        self._out = False
        self._ordered.clear()
        for call in self._lingering:
            wake(call)

    async def linger(self) -> None:
        """Take long, but no longer than the bad weather lasts."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        self._lingering.append(over)
        loop.call_later(self.dice.uniform(0.2, 3.0), wake, over)
        await over

    def fate(self, verb: str) -> Fate | None:
        """What becomes of the next call of a verb; None: nothing special."""
        waiting = self._ordered.get(verb)
        if waiting:
            return waiting.popleft()
        return "before" if self._out else None

    def error(self, fate: Fate) -> Exception:
        """What the caller gets to see. Of an error after the effect it cannot tell."""
        kinds: tuple[Callable[[str], Exception], ...] = (StoreBusy, StoreFailed)
        if fate.endswith("before"):
            kinds = (*kinds, StoreFull)
        return self.dice.choice(kinds)("The simulated store does not answer.")
