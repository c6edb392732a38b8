"""Parts that are started in an order and stopped in the reverse one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

log: Final = logging.getLogger("ferryman.engine")


class Part(NamedTuple):
    """One line of the list."""

    name: str
    start: Callable[[], Awaitable[object]]
    stop: Callable[[], Awaitable[object]]


class StartList:
    """Starts parts one after the other; stops those that were started, last first.

    Both may be called twice, and `stop` before, during or without a `start`.
    """

    def __init__(self, *parts: Part) -> None:
        self._parts = parts
        self._started: list[Part] = []
        self._stopping = False
        self._starting: asyncio.Future[None] | None = None
        self._stopped: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Start each part, unless a stop comes between.

        Raises:
            Exception: a part failed to start; those before it have been stopped again.
        """
        if self._starting is not None or self._stopping:
            return
        self._starting = asyncio.get_running_loop().create_future()
        try:
            for part in self._parts:
                if self._is_stopping():
                    return
                await part.start()
                self._started.append(part)
        except BaseException:
            self._stopping = True
            await self._stop_all()
            raise
        finally:
            self._starting.set_result(None)

    async def stop(self) -> None:
        """Stop each part that was started; one that fails to stop keeps no other from it."""
        self._stopping = True
        if self._starting is not None:
            await asyncio.shield(self._starting)
        if self._stopped is not None:
            await asyncio.shield(self._stopped)
            return
        self._stopped = asyncio.get_running_loop().create_future()
        try:
            await self._stop_all()
        finally:
            self._stopped.set_result(None)

    def _is_stopping(self) -> bool:
        """Asked anew after each await."""
        return self._stopping

    async def _stop_all(self) -> None:
        while self._started:
            part = self._started.pop()
            try:
                await part.stop()
            except Exception:
                log.exception("The part %s failed to stop.", part.name, extra={"event": "stop_failed"})
