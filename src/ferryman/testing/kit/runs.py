"""How many runs, and when: one, all that are pending, or all whose time comes."""

from __future__ import annotations

from typing import Final

from ferryman.domain.errors import WouldWaitForever
from ferryman.domain.job import MICROS
from ferryman.testing.kit.node import HandNode
from ferryman.testing.kit.world import KitWorld

BOUND: Final = 10_000
"""So many runs in one go are taken for work that makes new work for ever."""


class Runs:
    """Runs jobs on whatever loop awaits it. Clock and node are those of one test."""

    def __init__(self, world: KitWorld, node: HandNode, *, raise_errors: bool) -> None:
        """`raise_errors` says whether a failed attempt ends the go with what its handler raised."""
        self._world = world
        self._node = node
        self._raise_errors = raise_errors

    async def one(self) -> str | None:
        """Run the job whose turn it is; gives its id, or None where none is pending."""
        __tracebackhide__ = True
        self._node.promote()
        ran = await self._node.run_next()
        if ran is None:
            return None
        if ran.error is not None and (self._raise_errors or isinstance(ran.error, KeyboardInterrupt)):
            raise ran.error
        return ran.id

    async def all(self) -> int:
        """Run until nothing is pending; gives how many runs that were. Raises WouldWaitForever after 10,000."""
        __tracebackhide__ = True
        return await self._go(0)

    async def due(self, micros: int) -> int:
        """Let so much time pass, and run each job when its time comes; gives how many runs that were."""
        __tracebackhide__ = True
        clock = self._world.clock
        end = clock.now() + micros
        count = await self._go(0)
        while (due := self._node.promote()) is not None and due <= end:
            clock.advance(max(0, due - clock.now()))
            count = await self._go(count)
        clock.advance(max(0, end - clock.now()))
        self._node.promote()
        return count

    def advance(self, micros: int) -> None:
        """Let time pass; what is due by then becomes pending, and is not run."""
        self._world.clock.advance(micros)
        self._node.promote()

    async def _go(self, count: int) -> int:
        __tracebackhide__ = True
        while await self.one() is not None:
            count += 1
            if count >= BOUND:
                raise WouldWaitForever(
                    f"{BOUND:,} jobs ran in one go, and there are more.",
                    why="Does this go round? A handler that enqueues its own type, or retries without delay, may.",
                    hint="Use queue.run_one() to look at single runs.",
                )
        return count


def micros_of(seconds: float) -> int:
    """Seconds as the clock counts them."""
    return round(seconds * MICROS)
