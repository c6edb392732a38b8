"""A node inside somebody else's event loop: a web application that runs its own jobs.

    async with running(app) as server:
        ...

The loop, its signals and its log belong to whoever started it; nothing of them is changed here. Only a handler is added
to the root logger for as long as the node runs, which keeps what jobs log (LOG_CAPTURE).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import Receive, Scope, Send

from ferryman.app import Ferryman
from ferryman.domain.errors import BadSetting
from ferryman.http.waits import STOP
from ferryman.main import Server
from ferryman.settings import Settings, load
from ferryman.supervise.role import Role


@asynccontextmanager
async def running(app: Ferryman, **settings: object) -> AsyncGenerator[Embedded]:
    """Run the jobs of an app on the running event loop, for as long as the block lasts.

    Enqueues of the app go through this node meanwhile. At the end of the block the node stops in order: it claims
    nothing more, running handlers may finish within the stop deadline, cut-off ones are pending again.

    Args:
        app: whose jobs to run.
        settings: as for `Ferryman(...)`, for this node only, such as worker_count=4. What is given here goes before
            those of the app, the environment and the settings file. HOST and PORT are not used, and of the LOG_ ones
            only LOG_CAPTURE is.

    Raises:
        SettingsError: a setting is wrong, or asks for processes of its own.
        StoreError: the store cannot be opened.
    """
    given = {**app.overrides, **{name: value for name, value in settings.items() if value is not None}}
    own = load({}, os.environ, Path.cwd(), given).settings
    server = Embedded(own, app)
    app.configure(own)  # before the first handler runs: it may fork, and the child has no node to enqueue through
    try:
        await server.start()
        try:
            yield server
        finally:
            await server.stop()
    finally:
        app.configure(None)


class Embedded:
    """A node without a process of its own; `running` makes it."""

    def __init__(self, settings: Settings, app: Ferryman) -> None:
        _refuse_processes(settings)
        self._server = Server(settings, app.registry, Role(http=False), attach=app.attach)
        self._stop = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None

    @property
    def node_id(self) -> str:
        """The node's present id, as jobs show it; a node that was taken for dead goes on under a new one."""
        return self._server.node.id or ""

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The HTTP API as an ASGI application, to be mounted: `site.mount("/queue", server.asgi)`.

        It asks nobody who comes as long as there is no API key.
        """
        known = {**scope, "state": {**scope.get("state", {}), STOP: self._stop}}
        await self._server.asgi(known, receive, send)

    async def start(self) -> None:
        """Start on the running loop. Raises StoreError."""
        await self._server.start()
        assert self._server.ending is not None
        self._server.ending.add_done_callback(self._end_node)

    def _end_node(self, _ending: asyncio.Future[int]) -> None:
        """An operator wants the node to stop: the program around it goes on, and so does all else of this."""
        self._ending = asyncio.get_running_loop().create_task(self._server.node.stop())

    async def stop(self) -> None:
        """Stop in order; from now on every request is answered 503, and those that wait are answered at once."""
        self._stop.set()
        await self._server.stop()


def _refuse_processes(settings: Settings) -> None:
    if settings.processes:
        raise BadSetting(
            f"PROCESSES is {settings.processes}, and this node runs inside another program.",
            why="Processes of its own need a supervisor that owns the process.",
            hint=f"Leave PROCESSES at 0 here, or run `ferryman work --processes {settings.processes}` beside it.",
        )
