"""An event loop on a thread of its own, for what must go on while the process's loop is blocked: the beats."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers that block until they are done. The thread starts with the first of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there, and give its result. From any thread but its own."""
        with self._starting:
            loop = self._loop or self._start()
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    async def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """End the thread, once it has done one more thing, if it ever ran. Idempotent.

        Needs no other thread: an interpreter that is about to end starts none.
        """
        with self._starting:
            loop = self._loop
        if loop is not None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(last(), loop))
            self.end()

    def end(self) -> None:
        """End the thread; blocks for as long as it needs to stop. Idempotent."""
        with self._starting:
            loop, self._loop, thread, self._thread = self._loop, None, self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def abandon(self) -> None:
        """Forget the thread: it belongs to the process that forked this one."""
        self._starting = threading.Lock()
        self._loop = self._thread = None

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name=self._name, daemon=True)
        self._thread.start()
        return loop
