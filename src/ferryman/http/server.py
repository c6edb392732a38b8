"""uvicorn on the running loop, with our own socket and our own stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Collection, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from ferryman.domain.errors import PortInUse
from ferryman.http.bounds import Bounds
from ferryman.http.connection import Connection
from ferryman.http.tls import Tls
from ferryman.http.waits import STOP
from ferryman.store.forks import in_children

BACKLOG: Final = 2048
KEEP_ALIVE: Final = 75
"""Seconds for which an idle connection is kept; longer than the usual 60 of a proxy, which then closes first."""

FLUSH: Final = 5.0
"""Seconds in which a client has to read what is sent to it when the server stops."""

LOOK: Final = 10
"""Ticks of uvicorn, a tenth of a second each, from one look at clients that take too long to the next."""
NO_MORE_THAN: Final = Bounds()

CANCELLED: Final = 0.1
"""Seconds in which cancelled requests say so."""


class HttpServer:
    """One address that serves one ASGI application; start and stop tolerate being called twice, and never."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        bounds: Bounds = NO_MORE_THAN,
        tls: Tls | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        """Nothing is bound yet; port 0 is any free one. With `tls` it speaks HTTPS, and nothing else.

        `trusted_proxies` are addresses and networks: from those alone X-Forwarded-For and X-Forwarded-Proto are heard.
        """
        self._app = app
        self._host = host
        self._port = port
        self._bounds = bounds
        self._tls = tls
        self._trusted_proxies = list(trusted_proxies)
        self._listener: socket.socket | None = None
        self._address: socket.socket | None = None
        """The same socket once it serves, for children that must not keep the port."""
        self._server: uvicorn.Server | None = None
        self._ticks: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._url = ""
        self.is_local = False
        """Whether only this machine can reach the address; known once it is bound."""

    async def bind(self) -> None:
        """Take the address without answering there yet: a node should learn that it is taken before it claims jobs.

        Raises:
            PortInUse: the address cannot be had, saying why.
        """
        if self._listener is None:
            self._listener = self._address = self._bind()
            self.is_local = _is_local(self._listener)
            in_children(self._leave_port)

    async def unbind(self) -> None:
        """Let go of an address that was taken but never served."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _leave_port(self) -> None:
        """In a forked child, which may outlive this process: whoever comes next must get the port."""
        if self._address is not None:
            self._address.close()

    async def start(self) -> str:
        """Bind, unless that was done before, and serve; gives the URL.

        Raises:
            PortInUse: the address cannot be had, saying why.
            BadSetting: the certificate cannot be used.
        """
        if self._server is not None:
            return self._url
        context = None if self._tls is None else self._tls.context()
        await self.bind()
        assert self._listener is not None
        listener, self._listener = self._listener, None
        config = uvicorn.Config(
            self._app,
            http=partial(Connection, bounds=self._bounds),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=bool(self._trusted_proxies),
            forwarded_allow_ips=self._trusted_proxies,  # else it would ask the environment
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
        )
        config.load()
        config.ssl = context
        server = _Ticking(config)
        server.lifespan = config.lifespan_class(config)
        self._stop = server.lifespan.state[STOP] = asyncio.Event()
        await server.startup(sockets=[listener])
        self._server = server
        self._ticks = asyncio.create_task(server.main_loop())  # keeps the Date header right, and looks at connections
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"{'http' if context is None else 'https'}://{host}:{listener.getsockname()[1]}"
        return self._url

    async def stop(self, grace: float) -> None:
        """Refuse new connections and requests, let those under way end within `grace` seconds, then cut them off."""
        server, self._server = self._server, None
        if server is None:
            return
        for listening in server.servers:  # new connections are refused
            listening.close()
        self._stop.set()  # kept ones are told 503 and closed, requests that wait are answered
        state = server.server_state
        if not await _all_ended(lambda: state.tasks, grace):  # what is under way ends
            for task in set(state.tasks):  # or is told 503 as well
                task.cancel()
            await _all_ended(lambda: state.tasks, CANCELLED)
        await self._end_connections(_ours(server), grace)
        await self._stop_ticks()

    async def _end_connections(self, connections: list[Connection], grace: float) -> None:
        """End the idle ones, once everything is sent to whoever reads; cut off those who do not."""
        for connection in connections:
            connection.shutdown()
        if connections:
            await asyncio.wait([each.ended for each in connections], timeout=min(grace, FLUSH))
        for connection in connections:
            if not connection.ended.done():
                connection.transport.abort()

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


class _Ticking(uvicorn.Server):
    """uvicorn, which looks at its clients tick by tick.

    What it offers for that goes by the clock on the wall: turned back, it would not be called for as long.
    """

    async def on_tick(self, counter: int) -> bool:
        """End the connections of clients that take too long."""
        if counter % LOOK == 0:
            now = asyncio.get_running_loop().time()
            for connection in _ours(self):
                connection.look(now)
        return await super().on_tick(counter)


def _ours(server: uvicorn.Server) -> list[Connection]:
    """The connections that are open; uvicorn's type has those of other protocols, too."""
    return [each for each in server.server_state.connections if isinstance(each, Connection)]


def _is_local(listener: socket.socket) -> bool:
    host: str = listener.getsockname()[0]
    return ip_address(host.partition("%")[0]).is_loopback


async def _all_ended(under_way: Callable[[], Collection[asyncio.Future[None]]], seconds: float) -> bool:
    """Wait until nothing is under way any more; False if something was when the time was over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while (waiting := set(under_way())) and (left := deadline - loop.time()) > 0:
        await asyncio.wait(waiting, timeout=left)
    return not waiting


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
