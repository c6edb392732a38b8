"""What a node's own sweeper does for its claims: reconcile, cancellations, poll."""

from __future__ import annotations

from typing import Final

from ferryman.engine.dispatcher import Dispatcher
from ferryman.engine.pool import Pool
from ferryman.store.protocol import Store

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
