"""A whole Ferryman server inside the measuring process, on a SQLite file of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ferryman import Ferryman
from ferryman.domain.events import RunsEnded
from ferryman.main import Server
from ferryman.program import SWITCH_INTERVAL
from ferryman.settings import Settings, load


def settings_for(folder: Path, **values: object) -> Settings:
    """Settings for a file in a folder; nothing is read from the environment."""
    given = {"database_url": f"sqlite:///{folder / 'bench.db'}", "port": 0, **values}
    return load({}, {}, folder, given).settings


class Ends:
    """Counts ended runs, and lets one wait for a number of them."""

    def __init__(self) -> None:
        self.count = 0
        self._wanted = 0
        self._reached: asyncio.Future[None] | None = None

    def listen(self, event: object) -> None:
        """A listener of the server's events."""
        if isinstance(event, RunsEnded):
            self.count += len(event.runs)
            if self._reached is not None and self.count >= self._wanted and not self._reached.done():
                self._reached.set_result(None)

    async def reach(self, count: int) -> None:
        """Wait until so many runs have ended, all told."""
        if self.count < count:
            self._wanted = count
            self._reached = asyncio.get_running_loop().create_future()
            await self._reached


@asynccontextmanager
async def serving(app: Ferryman, settings: Settings) -> AsyncIterator[tuple[Server, Ends]]:
    """A running server as `ferryman serve` makes it, and the count of its ended runs."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    server, ends = Server(settings, app.registry, attach=app.attach), Ends()
    server.events.listen(ends.listen)
    await server.start()
    try:
        yield server, ends
    finally:
        await server.stop()
