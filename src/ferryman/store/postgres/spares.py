"""psycopg connections for handlers in threads: a few, each for one transaction at a time, kept between them."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

from ferryman.domain.errors import DriverMissing

_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType(
    {"application_name": "ferryman", "connect_timeout": 2, "tcp_user_timeout": 8000}
)
"""Seconds for a new connection; milliseconds that the kernel waits for an answer to what was sent."""


class Spares:
    """Has the two verbs of psycopg's own pool, which need not be installed. For any thread."""

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._slots = threading.BoundedSemaphore(size)
        self._idle: list[Any] = []
        self._inherited: list[Any] = []

    def getconn(self) -> Any:
        """A connection that works; waits where all are in use. Raises DriverMissing, psycopg.Error."""
        psycopg = driver()
        self._slots.acquire()
        try:
            return self._spare() or psycopg.connect(self._url, autocommit=True, **_OPTIONS)
        except BaseException:
            self._slots.release()
            raise

    def putconn(self, connection: Any) -> None:
        """Give one back; it is kept if it can be used again."""
        if connection.info.transaction_status == driver().pq.TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        self._slots.release()

    def close(self) -> None:
        """Close those that are idle. Idempotent."""
        while self._idle:
            self._idle.pop().close()

    def abandon(self) -> None:
        """Forget them without a word: they are those of the process that forked this one."""
        self._inherited, self._idle = self._idle, []

    def _spare(self) -> Any:
        """An idle one that still has a server, as it was when it was new; the latest first."""
        psycopg = driver()
        while self._idle:
            with suppress(IndexError, psycopg.Error):  # another thread has taken it, or the server has gone
                connection = self._idle.pop()
                connection.autocommit, connection.row_factory = True, psycopg.rows.tuple_row
                connection.execute("RESET ALL")
                return connection
        return None


def driver() -> Any:
    """psycopg, which only those import who need it. Raises DriverMissing."""
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise DriverMissing(
            "A transaction in a `def` handler needs psycopg 3, which is not installed.",
            why="asyncpg, through which the store works, can only be awaited.",
            hint="Run: pip install 'psycopg[binary]'. Or write `async def` and `async with ctx.transaction()`.",
        ) from error
