"""The API keys as a process knows them: not older than a second, however many requests come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from ferryman.domain.access import ApiKey
from ferryman.domain.errors import StoreError
from ferryman.domain.job import MICROS
from ferryman.store.access import Access
from ferryman.store.protocol import Clock

AGE: Final = 1.0
"""Seconds for which a look at the store counts; a failed one does, too."""
NOTED: Final = 60 * MICROS
"""How old the time of a key's last use has to be before it is written again."""


class Keyring:
    """Looks at the store when a request comes, at most once every `AGE`; those who come meanwhile share the look."""

    def __init__(self, store: Access, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._look: asyncio.Future[Mapping[str, ApiKey]] | None = None
        self._looked_at = 0.0
        self._noted: dict[str, int] = {}
        self._writing: asyncio.Task[None] | None = None

    def now(self) -> int:
        """The store's time, by which keys live or have ended."""
        return self._clock.now()

    async def keys(self) -> Mapping[str, ApiKey]:
        """Every key by its id, also those that have ended. Raises StoreError."""
        now, look = self._clock.monotonic(), self._look
        if look is None or (look.done() and now - self._looked_at >= AGE):
            look = self._look = asyncio.ensure_future(self._read())
            look.add_done_callback(_seen)
            self._looked_at = now
        return look.result() if look.done() else await asyncio.shield(look)

    def forget(self) -> None:
        """Keys were changed here: the next request looks at the store."""
        self._look = None

    def used(self, key: ApiKey) -> None:
        """Note that a key was used, once a minute, and in nobody's way: what is not written now is the next time."""
        now = self._clock.now()
        last = max(key.last_used_at or 0, self._noted.get(key.id, 0))
        if now - last >= NOTED and (self._writing is None or self._writing.done()):
            self._noted[key.id] = now
            self._writing = asyncio.create_task(self._write(key.id, now))

    async def _read(self) -> Mapping[str, ApiKey]:
        return {key.id: key for key in await self._store.api_keys()}

    async def _write(self, id: str, now: int) -> None:
        try:
            await self._store.use_api_keys({id: now})
        except StoreError:
            del self._noted[id]


def _seen(look: asyncio.Future[Mapping[str, ApiKey]]) -> None:
    """Whoever asked may be gone by now: the loop is not to report that nobody heard of a failure."""
    if not look.cancelled():
        look.exception()
