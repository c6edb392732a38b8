"""What a person may say about the keys of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ferryman.client.inserter import patiently
from ferryman.domain import options
from ferryman.domain.errors import KeyNotFound
from ferryman.domain.keys import GateRule
from ferryman.store.protocol import Clock, KeyStatus, Store, Wakeup

T = TypeVar("T")


class Keys:
    """Reads and changes the gates of keys. Every error is one of `ferryman.errors`."""

    def __init__(self, store: Store, clock: Clock, wakeup: Wakeup) -> None:
        self._store = store
        self._clock = clock
        self._wakeup = wakeup

    async def list(self, after: str | None = None, limit: int = 1000) -> Sequence[KeyStatus]:
        """The keys that are in use, or were set or paused, in the order of their texts."""
        return await self._store.keys(after, limit)

    async def get(self, key: str) -> KeyStatus:
        """One key. Raises KeyNotFound: nobody uses it."""
        found = await self._store.key(options.key(key))
        if found is None:
            raise KeyNotFound(
                f"Nobody uses the key {key!a}.", why="No job with it waits or runs, and nobody has set or paused it."
            )
        return found

    async def set(self, key: str, rule: GateRule) -> KeyStatus:
        """Have its gate keep to a rule, whatever jobs bring along. Raises BadOption."""
        return await self._change(key, lambda: self._store.set_key(key, rule, self._clock.now()))

    async def unset(self, key: str) -> KeyStatus:
        """Let the next job bring the rule again; until then that of now stays. Raises KeyNotFound."""
        await self.get(key)
        return await self._change(key, lambda: self._store.set_key(key, None, self._clock.now()))

    async def pause(self, key: str) -> KeyStatus:
        """Let nobody in any more; who is in goes on. Raises BadOption."""
        return await self._change(key, lambda: self._store.pause_key(key, True, self._clock.now()))

    async def resume(self, key: str) -> KeyStatus:
        """Let jobs in again. Raises KeyNotFound."""
        await self.get(key)
        return await self._change(key, lambda: self._store.pause_key(key, False, self._clock.now()))

    async def let_pass(self, key: str) -> Sequence[str]:
        """Let a sequence go on without the failed jobs for which it waits; gives their ids. Raises KeyNotFound."""
        await self.get(key)
        passed = await patiently(lambda: self._store.pass_key(key, self._clock.now()))
        self._wakeup.work()
        return passed

    async def _change(self, key: str, change: Callable[[], Awaitable[None]]) -> KeyStatus:
        options.key(key)
        await patiently(change)
        self._wakeup.work()
        return await self.get(key)
