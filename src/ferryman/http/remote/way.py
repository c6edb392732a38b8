"""From any thread and any event loop to a client on a loop of its own: the blocking face, and `await` anywhere."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from ferryman.crossing import C, Crossing, Verb, refuse_inside_loop
from ferryman.lodging import Lodging
from ferryman.store.forks import in_children

T = TypeVar("T")


class OwnLoop(Generic[C]):
    """Starts a daemon thread at the first call; it ends with `close`, or with this object."""

    def __init__(self, make: Callable[[], C]) -> None:
        """`make` gives a client that is not open yet."""
        self._make: Final = make
        self._starting = threading.Lock()
        self._lodging: Lodging[C] | None = None
        self._inherited: list[object] = []
        in_children(self._start_anew)

    def call(self, verb: Verb[C, T], instead: str) -> T:
        """Do what `verb` does with the client, and block until it is done.

        Raises:
            SyncInsideLoop: an event loop runs in this thread; `instead` names what to await there.
        """
        refuse_inside_loop(instead)
        return self._crossing().call(verb)

    async def acall(self, verb: Verb[C, T]) -> T:
        """Do what `verb` does with the client."""
        return await self._crossing().acall(verb)

    def tell(self, verb: Verb[C, Any]) -> None:
        """Do what `verb` does with the client, if there is one; nobody waits for the end of it."""
        with self._starting:
            if self._lodging is not None:
                self._lodging.crossing.tell(verb)

    def close(self) -> None:
        """Close the client and end the thread; the next call starts anew."""
        with self._starting:
            lodging, self._lodging = self._lodging, None
        if lodging is not None:
            lodging.close()

    def _crossing(self) -> Crossing[C]:
        with self._starting:
            if self._lodging is None:
                self._lodging = Lodging(self._make)
                weakref.finalize(self, self._lodging.close)
            return self._lodging.crossing

    def _start_anew(self) -> None:
        """In a forked child: nothing of the parent's works here, and its connections are not to be closed."""
        self._inherited.append(self._lodging)
        self._starting = threading.Lock()
        self._lodging = None
