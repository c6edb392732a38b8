"""What a person may say about the keys of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from ferryman.client.deeds import Deeds
from ferryman.domain import options
from ferryman.domain.audit import Action, Deed
from ferryman.domain.errors import KeyNotFound
from ferryman.domain.keys import GateRule
from ferryman.store.protocol import KeyStatus, Store, Wakeup


class Keys:
    """Reads and changes the gates of keys. Every error is one of `ferryman.errors`."""

    def __init__(self, store: Store, wakeup: Wakeup, deeds: Deeds) -> None:
        self._store = store
        self._wakeup = wakeup
        self._deeds = deeds

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

    async def set(self, key: str, rule: GateRule, *, by: str | None = None) -> KeyStatus:
        """Have its gate keep to a rule, whatever jobs bring along. Raises BadOption."""
        return await self._change(
            key, lambda deed: self._store.set_key(key, rule, deed.at, deed=deed), Action.KEY_SET, by, **_words(rule)
        )

    async def unset(self, key: str, *, by: str | None = None) -> KeyStatus:
        """Let the next job bring the rule again; until then that of now stays. Raises KeyNotFound."""
        await self.get(key)
        return await self._change(
            key, lambda deed: self._store.set_key(key, None, deed.at, deed=deed), Action.KEY_UNSET, by
        )

    async def pause(self, key: str, *, by: str | None = None) -> KeyStatus:
        """Let nobody in any more; who is in goes on. Raises BadOption."""
        return await self._change(
            key, lambda deed: self._store.pause_key(key, True, deed.at, deed=deed), Action.KEY_PAUSE, by
        )

    async def resume(self, key: str, *, by: str | None = None) -> KeyStatus:
        """Let jobs in again. Raises KeyNotFound."""
        await self.get(key)
        return await self._change(
            key, lambda deed: self._store.pause_key(key, False, deed.at, deed=deed), Action.KEY_RESUME, by
        )

    async def let_pass(self, key: str, *, by: str | None = None) -> Sequence[str]:
        """Let a sequence go on without the failed jobs for which it waits; gives their ids. Raises KeyNotFound."""
        await self.get(key)
        passed = await self._deeds.do(
            lambda deed: self._store.pass_key(key, deed.at, deed=deed), Action.KEY_PASS, key, by
        )
        self._wakeup.work()
        return passed

    async def _change(
        self, key: str, change: Callable[[Deed], Awaitable[None]], action: Action, by: str | None, **detail: Any
    ) -> KeyStatus:
        options.key(key)
        await self._deeds.do(change, action, key, by, **detail)
        self._wakeup.work()
        return await self.get(key)


def _words(rule: GateRule) -> dict[str, Any]:
    """What a rule says, in the words in which people set it."""
    said: dict[str, Any] = msgspec.to_builtins(rule)
    return {"sequence" if name == "strict" else name: value for name, value in said.items()}
