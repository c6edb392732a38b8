"""What the handlers of the demonstration have of the world: chance, and time that passes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final

HASTE: Final = 0.01
"""The pace of jobs that are to be history when somebody looks."""


class Surroundings:
    """Chance comes from one source, so that a seed gives the same shop again; threads may ask it, too."""

    def __init__(
        self, dice: random.Random, *, rest: Callable[[float], Awaitable[None]], block: Callable[[float], None]
    ) -> None:
        """`rest` lets seconds pass on the event loop, `block` in a thread."""
        self.dice = dice
        self.pace = 1.0
        """What a second of a handler's work takes, in seconds."""
        self._rest = rest
        self._block = block

    async def rest(self, seconds: float) -> None:
        """Work on the event loop for about so long."""
        await self._rest(self._about(seconds))

    def block(self, seconds: float) -> None:
        """Work in a thread for about so long."""
        self._block(self._about(seconds))

    def happens(self, share: float) -> bool:
        """Whether something happens that does so in `share` of all cases, from 0 to 1."""
        return self.dice.random() < share

    def _about(self, seconds: float) -> float:
        """Most take a little less, a few take much longer."""
        return seconds * self.pace * self.dice.lognormvariate(-0.1, 0.45)
