"""Where a client lives that has no node: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Final, Generic

from ferryman.crossing import C, Crossing

CLOSE_WITHIN: Final = 5.0
"""Seconds that closing may take; what was enqueued is durable either way."""


class Lodging(Generic[C]):
    """A daemon thread with an event loop, and a client on it."""

    def __init__(self, connect: Callable[[], C]) -> None:
        self.crossing = Crossing(asyncio.new_event_loop(), connect)
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._live, name="ferryman-client", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the client, end the thread; idempotent."""
        if self._pid != os.getpid() or not self._thread.is_alive():
            return
        self.crossing.close(CLOSE_WITHIN)
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSE_WITHIN)

    def _live(self) -> None:
        loop = self.crossing.loop
        try:
            loop.run_forever()
        finally:
            self.crossing.end()
            loop.close()
