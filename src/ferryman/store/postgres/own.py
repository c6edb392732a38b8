"""Connections that a forked child leaves alone.

A child inherits the parent's sockets, and the selector of its event loop. Whoever closes such a connection in the
child, be it the garbage collector at its exit, also takes the socket out of the selector, which both share: the parent
would wait for ever for an answer that has come.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from ferryman.store.postgres.target import Target

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection


CONNECT_SECONDS: Final = 1.5
"""For so long a connection may take to be made: an enqueue against a dead database fails within two seconds."""
Connect = Callable[..., Coroutine[Any, Any, Any]]
"""What asyncpg.connect is."""
NAMED: Final = {"application_name": "ferryman"}
"""How the server's views show who is connected."""


class OwnConnection(Connection):
    """Ends only in the process that made it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._made_in = os.getpid()
        super().__init__(*args, **kwargs)

    def terminate(self) -> None:
        """Let go of the socket at once; nothing in a forked child."""
        if self._made_in == os.getpid():
            super().terminate()

    def __del__(self) -> None:
        if self._made_in == os.getpid():
            super().__del__()


async def connect(target: Target, by: Connect = asyncpg.connect, **options: Any) -> Any:
    """A connection outside of any pool. Raises what asyncpg does."""
    return await by(
        target.url, timeout=CONNECT_SECONDS, server_settings=NAMED, connection_class=OwnConnection, **options
    )
