"""How an app's enqueues get into a test's memory, whatever thread or loop they come from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from ferryman.client import Client
from ferryman.testing.kit.driver import Driver
from ferryman.testing.kit.node import HandNode
from ferryman.testing.kit.runs import Runs
from ferryman.testing.kit.world import KitWorld

T = TypeVar("T")
Verb = Callable[[Client], Coroutine[Any, Any, T]]

_INSTEAD: Final = "Await the call."


class Way:
    """Takes the place of the way to a store, for as long as a test lasts."""

    def __init__(self, world: KitWorld) -> None:
        self._world = world
        self._turn = threading.Lock()
        self._loop = asyncio.new_event_loop()

    def call(self, verb: Verb[T]) -> T:
        """Do it in this thread, in which no loop runs."""
        with self._turn:
            return self._loop.run_until_complete(verb(self._world.client()))

    async def acall(self, verb: Verb[T]) -> T:
        """Do it on the caller's loop."""
        return await verb(self._world.client())

    def close(self) -> None:
        """End it; whoever calls later is refused by the loop."""
        self._loop.close()


class InlineWay(Way):
    """A way at whose end jobs run at once; those of handlers run after the one that enqueued them."""

    def __init__(self, world: KitWorld, runs: Runs, node: HandNode, driver: Driver) -> None:
        super().__init__(world)
        self._runs = runs
        self._node = node
        self._driver = driver

    def call(self, verb: Verb[T]) -> T:
        """Do it, then run what is pending, unless somebody does already."""
        __tracebackhide__ = True
        answer = super().call(verb)
        if not (self._node.runs_this_code() or self._driver.busy):
            self._driver.run(self._runs.all, _INSTEAD)
        return answer

    async def acall(self, verb: Verb[T]) -> T:
        """Do it, then run what is pending, on the caller's loop."""
        __tracebackhide__ = True
        answer = await super().acall(verb)
        if not self._node.runs_this_code():
            await self._runs.all()
        return answer
