"""uvicorn on the running loop, with our own socket and our own stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from ferryman.domain.errors import PortInUse
from ferryman.http.api import STOPPING
from ferryman.http.connection import Connection

BACKLOG: Final = 2048
KEEP_ALIVE: Final = 75
"""Seconds for which an idle connection is kept; longer than the usual 60 of a proxy, which then closes first."""

FLUSH: Final = 5.0
"""Seconds in which a client has to read what is sent to it when the server stops."""

_POLL: Final = 0.01
"""Seconds between two looks at what a stop waits for; uvicorn has sets of tasks and connections, but no signal."""


class HttpServer:
    """One address that serves one ASGI application; start and stop tolerate being called twice, and never."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Nothing is bound yet; port 0 is any free one."""
        self._app = app
        self._host = host
        self._port = port
        self._listener: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._ticks: asyncio.Task[None] | None = None
        self._url = ""

    async def bind(self) -> None:
        """Take the address without answering there yet: a node should learn that it is taken before it claims jobs.

        Raises:
            PortInUse: the address cannot be had, saying why.
        """
        if self._listener is None:
            self._listener = self._bind()

    async def unbind(self) -> None:
        """Let go of an address that was taken but never served."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def start(self) -> str:
        """Bind, unless that was done before, and serve; gives the URL.

        Raises:
            PortInUse: the address cannot be had, saying why.
        """
        if self._server is not None:
            return self._url
        await self.bind()
        assert self._listener is not None
        listener, self._listener = self._listener, None
        config = uvicorn.Config(
            self._app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        self._server = server
        self._ticks = asyncio.create_task(server.main_loop())  # keeps the Date header right
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"http://{host}:{listener.getsockname()[1]}"
        return self._url

    async def stop(self, grace: float) -> None:
        """Refuse new connections and requests, let those under way end within `grace` seconds, then cut them off."""
        server, self._server = self._server, None
        if server is None:
            return
        for listening in server.servers:  # new connections are refused
            listening.close()
        server.lifespan.state[STOPPING] = True  # kept ones are told 503 and closed
        state = server.server_state
        if not await _until(lambda: not state.tasks, grace):  # what is under way ends
            for task in set(state.tasks):  # or is told 503 as well
                task.cancel()
            await _until(lambda: not state.tasks, _POLL * 10)
        for connection in list(state.connections):  # the idle ones end
            connection.shutdown()
        if not await _until(lambda: not state.connections, min(grace, FLUSH)):  # once everything is sent
            for connection in list(state.connections):  # to whoever reads
                connection.transport.abort()
        await self._stop_ticks()

    async def _stop_ticks(self) -> None:
        ticks, self._ticks = self._ticks, None
        if ticks is not None:
            ticks.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticks

    def _bind(self) -> socket.socket:
        """A listening socket of our own: uvicorn would end the process where it cannot bind."""
        address = f"{self._host}:{self._port}"
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
        except (OSError, UnicodeError) as error:
            raise PortInUse(
                f"Cannot serve on {address}.", why=_why(error), hint="Set HOST to an address of this machine."
            ) from None
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise PortInUse(f"Cannot serve on {address}.", why=_why(error), hint=_hint(error, self._port)) from None
        return listener


async def _until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait for something to become so; False if it did not in time."""
    try:
        async with asyncio.timeout(seconds):
            while not done():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(_POLL)
    except TimeoutError:
        return False
    return True


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "Another process is listening there."
    said = error.strerror if isinstance(error, OSError) else None
    return f"The system says: {said or error}."


def _hint(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Stop it (`ss -ltnp sport = :{port}` finds it), or choose another PORT; 0 takes any free one."
    if error.errno == errno.EACCES:
        return "Choose a PORT from 1024 up."
    return "Set HOST to an address of this machine."
