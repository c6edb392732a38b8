"""No fork comes between while another thread makes a connection.

OpenSSL is asked for a context for each of them, and takes locks of the whole process for it: a child that is forked at
that moment inherits them locked, for ever, and its first connection hangs.
"""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from typing import Any, Final

import asyncpg

from ferryman.store.forks import AroundForks

FORK_PATIENCE: Final = 3.0
"""Seconds for which a fork waits: longer than a connection may take to be made."""


class Connecting:
    """Makes the connections of one store."""

    def __init__(self, around_forks: AroundForks) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._under_way: Counter[int] = Counter()
        """By thread; written under the lock."""
        self._forking = 0
        """The thread that has kept the lock for its fork."""
        around_forks(self._before_fork, self._after_fork)
        # OpenSSL sets itself up with the first one: here, where the app has forks wait, since a fork that has begun
        # already does not hear of this store any more
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Like asyncpg.connect."""
        thread = threading.get_ident()
        with self._changed:
            self._under_way[thread] += 1
        try:
            return await asyncpg.connect(*args, **kwargs)
        finally:
            with self._changed:
                self._under_way[thread] -= 1
                self._changed.notify_all()

    def _before_fork(self) -> None:
        """Wait for the others. What this thread itself has begun is in nobody's hands while it forks."""
        thread = threading.get_ident()
        self._changed.acquire()
        self._forking = thread
        self._changed.wait_for(lambda: self._under_way.total() == self._under_way[thread], FORK_PATIENCE)

    def _after_fork(self) -> None:
        """Runs in the parent and in the child, where nothing of it goes on."""
        if self._forking == threading.get_ident():
            self._forking = 0
            self._changed.release()
