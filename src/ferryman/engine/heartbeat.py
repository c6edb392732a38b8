"""Says in the store that this node lives, from a thread: a blocked loop must not cost it its claims at once."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Final

from ferryman.domain.errors import StoreError
from ferryman.engine.runner import TickerFactory
from ferryman.store.protocol import Clock, Store

log: Final = logging.getLogger("ferryman.engine")


class Lease:
    """Until when the node may vouch for its claims: `until`, in seconds of the monotonic clock.

    Written by the heartbeat's thread, read by every start of a handler.
    """

    def __init__(self) -> None:
        self.until = math.inf


class Heartbeat:
    """Beats every `beat` seconds; tells once when the node has lost its claims, or cannot know any more.

    The lease ends one beat earlier here than for those who watch, so that the handlers of a node that
    cannot beat are stopped before somebody else starts their jobs.
    """

    def __init__(
        self,
        store: Store,
        node: int,
        clock: Clock,
        lease: Lease,
        on_lost: Callable[[], None],
        *,
        beat: float,
        seconds: float,
        alive: Callable[[], bool],
        ticker: TickerFactory,
    ) -> None:
        """Make a heartbeat.

        Args:
            node: the number that the store gave the node.
            on_lost: called on the event loop, at most once.
            beat: seconds between two beats.
            seconds: how long others wait for a beat.
            alive: whether the event loop still turns; a node whose loop does not stops beating.
            ticker: makes what calls `step`.
        """
        self._store = store
        self._node = node
        self._clock = clock
        self._lease = lease
        self._on_lost = on_lost
        self._for = seconds - beat
        self._alive = alive
        self._ticker = ticker(beat, self.step, "ferryman-heartbeat")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lost = False

    async def start(self) -> None:
        """Begin; the node was registered just now, which counts as a beat."""
        self._loop = asyncio.get_running_loop()
        self._lease.until = self._clock.monotonic() + self._for
        self._ticker.start()

    async def stop(self) -> None:
        """Beat no more."""
        self._lost = True
        self._ticker.stop()

    def step(self) -> None:
        """Beat once. Runs on the heartbeat's thread."""
        if self._lost:
            return
        now = self._clock.monotonic()
        if not self._alive():
            return  # the loop is stuck: let others have the claims
        if self._beats():
            self._lease.until = now + self._for
        elif self._clock.monotonic() >= self._lease.until:
            self._tell()

    def _beats(self) -> bool:
        """Whether the beat was written; a node that was found dead has lost everything."""
        try:
            if self._store.beat(self._node):
                return True
        except StoreError as error:
            log.warning("A beat failed: %s", error, extra={"event": "beat_failed"})
        else:
            self._lease.until = -math.inf
        return False

    def _tell(self) -> None:
        self._lost = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_lost)
