"""A call of the store as a process of the simulation makes it: slow, failing, lossy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ferryman.store.protocol import Store
from ferryman.testing.history import entries
from tests.simulation.loop import pause
from tests.simulation.notes import Notes
from tests.simulation.noting import TOOK, NotingSqliteStore, Took
from tests.simulation.weather import Fate, Weather

T = TypeVar("T")
_DURING: Final = MappingProxyType({"insert": "accepting", "claim": "claimed", "finish": "flushing"})
"""What a process that dies in a call was doing, as `entries.IN_FLIGHT` calls it."""


def faulted(notes: Notes, process: str, verb: str, fate: Fate) -> None:
    """Note that a call of the store is made to fail."""
    kind = "after" if fate.endswith("after") else "slow" if fate == "slow" else "before"
    notes.note(entries.Faulted, "nemesis", process=process, verb=verb, kind=kind)


class Calls:
    """The calls of one process."""

    def __init__(
        self,
        inner: Store,
        weather: Weather,
        notes: Notes,
        process: str,
        *,
        stop: Callable[[], None],
        die: Callable[[str], None],
        die_within: Callable[[str], None],
    ) -> None:
        """`stop` asks the process to stop; `die` ends it on the spot, and is told what was under way; `die_within`
        ends it after the next step of its threads, which is in the middle of a call that takes several."""
        self._inner = inner
        self._weather = weather
        self._notes = notes
        self._process = process
        self._stop = stop
        self._die = die
        self._die_within = die_within
        self._in_step = isinstance(inner, NotingSqliteStore)
        self.registered: dict[str, int] = {}
        """Every node that this process registered, and the number it was given."""

    async def _call(self, verb: str, do: Callable[[], Coroutine[Any, Any, T]], took: Took | None = None) -> T:
        """One call, by the fate that the weather has for it.

        In production a step in a thread happens even if its caller is cancelled. Nothing in the product cancels a
        call of the store, so that need not be played here.
        """
        weather = self._weather
        fate = weather.fate(verb)
        if fate is None:
            return await self._do(do, took)
        self._faulted(verb, fate)
        if fate == "slow":
            await weather.linger()
        if fate == "die before":
            await self._end(verb)
        if fate == "die within":
            self._die_within(_DURING.get(verb, verb))
        if fate in ("before", "stop before"):
            await self._travel()
            raise self._failure(fate)
        result = await self._do(do, took)
        if fate == "die after":
            await self._end(verb)
        if fate in ("after", "stop after"):
            raise self._failure(fate)
        return result

    def _failure(self, fate: Fate) -> Exception:
        """What the caller gets; at that moment its process may be asked to stop."""
        if fate.startswith("stop"):
            self._stop()
        return self._weather.error(fate)

    async def _do(self, do: Callable[[], Coroutine[Any, Any, T]], took: Took | None) -> T:
        if self._in_step:
            before = TOOK.set(took)
            try:
                return await do()
            finally:
                TOOK.reset(before)
        await self._travel()
        result = await do()
        if took is not None:
            took(result)
        await self._travel()
        return result

    async def _travel(self) -> None:
        seconds = self._weather.trip()
        if seconds:
            await pause(seconds)

    def _faulted(self, verb: str, fate: Fate) -> None:
        faulted(self._notes, self._process, verb, fate)

    async def _end(self, verb: str) -> None:
        self._die(_DURING.get(verb, verb))
        await asyncio.get_running_loop().create_future()

    def _note(self, kind: Callable[..., entries.AnyEntry], /, **fields: Any) -> None:
        self._notes.note(kind, self._process, **fields)
