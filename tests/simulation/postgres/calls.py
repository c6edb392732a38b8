"""The model's store as a process of the simulation sees it: beside all else that may befall calls, lines are cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from tests.simulation.noting import TOOK, Took
from tests.simulation.postgres.connection import Connection
from tests.simulation.postgres.store import ModelStore
from tests.simulation.store import SimStore
from tests.simulation.weather import Fate

T = TypeVar("T")
SOON: Final = 0.1
"""Seconds of a call within which its connection is lost."""


class ModelSimStore(SimStore):
    """A call travels to the server, and its answer back; both ways end in vain where the connection does."""

    def __init__(self, inner: ModelStore, lost: float, *details: Any, **more: Any) -> None:
        """`lost` is the share of calls whose connection is lost while they are under way."""
        super().__init__(inner, *details, **more)
        self._connection: Connection = inner.connection
        self._lost = lost
        self._die_within = self._die_soon
        self._doomed: str | None = None
        """What the process will have been doing, if it is to die in the middle of the next call."""

    async def _do(self, do: Callable[[], Coroutine[Any, Any, T]], took: Took | None) -> T:
        await self._travel()
        before = TOOK.set(took)
        try:
            self._maybe_lose()
            self._maybe_die()
            result = await do()
        finally:
            TOOK.reset(before)
        await self._travel()
        return result

    def _maybe_lose(self) -> None:
        dice = self._weather.dice
        if self._lost and not self._weather.calm and dice.random() < self._lost:
            self._connection.fail_in(dice.random() * SOON)

    def _die_soon(self, during: str) -> None:
        self._doomed = during

    def _maybe_die(self) -> None:
        """While the call is under way on the server, or when it has just been done there."""
        if self._doomed is not None:
            asyncio.get_running_loop().call_later(self._weather.trip(), self._die, self._doomed)

    def _failure(self, fate: Fate) -> Exception:
        self._connection.forget()
        return super()._failure(fate)
