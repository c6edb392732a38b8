"""What a node's own sweepers do for it: reconcile, cancellations, poll, check in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ferryman.domain.nodes import RUNNING_MOST, Condition, NodeWish, RunningJob, Wished
from ferryman.engine.dispatcher import Dispatcher
from ferryman.engine.pool import Pool
from ferryman.store.protocol import Clock, Store

RECONCILE_PERIOD: Final = 10.0
POLL_PERIOD: Final = 0.5


class Reconcile:
    """Claims that the node does not know are released."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def step(self) -> float:
        """Compare the store's open claims with the dispatcher's books."""
        await self._dispatcher.reconcile()
        return RECONCILE_PERIOD


class Cancellations:
    """Running jobs that somebody asked to cancel are told to end."""

    def __init__(self, store: Store, node: int, pool: Pool) -> None:
        self._store = store
        self._node = node
        self._pool = pool

    async def step(self) -> float:
        """Look once; a wakeup makes it look at once."""
        if self._pool.in_progress:
            self._pool.cancel(await self._store.cancellations(self._node))
        return POLL_PERIOD


class Poll:
    """A wakeup may be lost, or come from a commit that nobody could announce."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def step(self) -> float:
        """Let the dispatcher look."""
        self._dispatcher.poll()
        return POLL_PERIOD


class CheckIn:
    """The node says how it is, and hears what operators want of it."""

    def __init__(
        self,
        store: Store,
        node: int,
        pool: Pool,
        clock: Clock,
        *,
        beat: float,
        rss: Callable[[], int | None],
        is_quiet: Callable[[], bool],
        heed: Callable[[NodeWish], None],
    ) -> None:
        """Make the chore.

        Args:
            node: the number that the store gave the node.
            pool: whose runs are told of.
            beat: seconds between two steps.
            rss: bytes of memory in which the process resides.
            is_quiet: whether the node claims no more.
            heed: does what is wished; called once for each wish.
        """
        self._store = store
        self._node = node
        self._pool = pool
        self._clock = clock
        self._beat = beat
        self._rss = rss
        self._is_quiet = is_quiet
        self._heed = heed
        self._heeded: Wished | None = None

    async def step(self) -> float:
        """Do it once; after a wish soon again, so that others see what became of it."""
        wished = await self._store.check_in(self._node, self._condition())
        if wished is None or wished == self._heeded:
            return self._beat
        self._heeded = wished
        self._heed(wished.wish)
        return 0.0

    def _condition(self) -> Condition:
        runs = self._pool.running()
        told = tuple(
            RunningJob(each.job.id, each.job.number, each.slot.id, each.run.started_at) for each in runs[:RUNNING_MOST]
        )
        return Condition(self._clock.now(), self._rss(), self._is_quiet(), len(runs), told)
