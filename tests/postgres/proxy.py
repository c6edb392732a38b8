"""A TCP proxy in front of a server, to do to connections what networks do.

It works in a thread and loop of its own; each verb may be said from any other thread, and is done when it returns.
"""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

from tests.postgres.admin import with_database
from tests.postgres.links import Line, Link, at_once
from tests.postgres.ports import HOST, free_port

POSTGRES: Final = 5432
BACKLOG: Final = 1000
"""So many connections may come at the same moment."""
T = TypeVar("T")


class Proxy:
    """Accepts connections from `start` to `close`, and forwards them to the server of a URL."""

    def __init__(self, server: str) -> None:
        """`server` is the URL of a database; nobody has to be there yet."""
        self._server = server
        parts = urlsplit(server)
        self._target = (parts.hostname or HOST, parts.port or POSTGRES)
        self.port = 0
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._line = Line()
        self._links: dict[asyncio.Task[None], Link] = {}
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Listen on a free port, the same one until the end."""
        self._thread.start()
        self.port = free_port(random.Random())
        self.restore()

    def close(self) -> None:
        """End every connection, and the thread."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, database: str | None = None) -> str:
        """Where a database is for those who are to go through here; by default the one that `server` names."""
        parts = urlsplit(self._server)
        user, at, _ = parts.netloc.rpartition("@")
        name = parts.path.removeprefix("/") if database is None else database
        return with_database(parts._replace(netloc=f"{user}{at}{HOST}:{self.port}").geturl(), name)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return self._do(lambda: len(self._links))

    def cut(self) -> None:
        """Reset all connections, and refuse new ones until `restore`: the server's machine has gone."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    def restore(self) -> None:
        """Accept connections again."""
        self._do(self._listen)

    def drop(self) -> None:
        """Close all connections that are open, and go on accepting new ones: a pooler was restarted."""
        asyncio.run_coroutine_threadsafe(self._end_all(reset=False), self._loop).result()

    def freeze(self) -> None:
        """Forward nothing more, not even that a side has gone, and nothing of new connections, which are accepted:
        a firewall forgot us. Until `thaw`."""
        self._do(self._line.freeze)

    def swallow_replies(self) -> None:
        """Forward what clients say and hold the answers, also of new connections, until `thaw`. What was held is lost
        if the connection ends before, by `drop` for one."""
        self._do(self._line.replies.shut)

    def swallow_commits(self) -> None:
        """Hold only the answers that say that a statement or a transaction has committed, until `thaw`. So a client
        comes as far as that also where it prepares its statements, or connects, before."""
        self._do(self._line.commits.shut)

    def thaw(self) -> None:
        """Forward what was held, and go on."""
        self._do(self._line.thaw)

    def delay(self, seconds: float) -> None:
        """Forward each chunk of up to 64 KiB so much later; 0 ends it. Chunks wait one after the other."""
        self._do(lambda: setattr(self._line, "delay", seconds))

    def wait_for_request(self, timeout: float) -> bool:
        """Wait until something from a client is held, a new connection included; False after `timeout` seconds."""
        return self._line.requests.held.wait(timeout)

    def wait_for_reply(self, timeout: float) -> bool:
        """Wait until an answer is held; False after `timeout` seconds."""
        return self._line.replies.held.wait(timeout)

    def wait_for_commit(self, timeout: float) -> bool:
        """Wait until the answer to something that has committed is held; False after `timeout` seconds."""
        return self._line.commits.held.wait(timeout)

    def _do(self, step: Callable[[], T]) -> T:
        async def run() -> T:
            return step()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server((HOST, self.port), backlog=BACKLOG)
            self._listener.setblocking(False)
            self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _cut(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self._end_all(reset=True)

    async def _end_all(self, *, reset: bool) -> None:
        links = dict(self._links)
        for task, link in links.items():
            if reset:
                link.be_reset()
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)
        for link in links.values():
            link.close()  # a task that had not begun has closed nothing

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the client has gone again
        link = Link(self._line, at_once(connection))
        task = self._loop.create_task(link.run(*self._target))
        self._links[task] = link
        task.add_done_callback(self._links.pop)
