"""Calls a client from any thread and any event loop: the blocking face, and `await` on loops that are not its own.

A client lives on one loop. Inside `serve` that is the node's loop, and the node's client is attached;
anywhere else it is a loop in a daemon thread of this app, started at the first call. One client per
process means that the enqueues of all its threads and loops share commits.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ferryman import at_first_use
from ferryman.client import JobRequest
from ferryman.domain.errors import AlreadyTesting
from ferryman.store.forks import AroundForks, Forks, before_forks, in_children

if TYPE_CHECKING:
    from ferryman.client import Client
    from ferryman.crossing import Crossing
    from ferryman.lodging import Lodging

T = TypeVar("T")
Connect = Callable[[AroundForks], "Client"]
"""Builds a client whose parts have forks wait for them in this way."""
Verb = Callable[["Client"], Coroutine[Any, Any, T]]
"""What to do with the client, such as `lambda client: client.get(id)`."""


class Way(Protocol):
    """How a verb gets to a client: a `Crossing`, or what a test puts in its place."""

    def call(self, verb: Verb[T]) -> T:
        """Do what `verb` does with the client, and block until it is done."""
        ...

    async def acall(self, verb: Verb[T]) -> T:
        """Do what `verb` does with the client."""
        ...


class Bridge:
    """The way from this app to its client, wherever that lives."""

    def __init__(self, connect: Connect) -> None:
        """`connect` builds a client for this process; it is called at the first use, and again after a fork."""
        self._connect = connect
        self._starting = threading.Lock()
        self._pid = os.getpid()
        self._own: Lodging[Client] | None = None
        self._attached: Crossing[Client] | None = None
        self._diverted: Way | None = None
        self._inherited: list[object] = []
        self._unopened: Client | None = None
        self._forks = Forks()
        in_children(self._start_anew)
        before_forks(self._load)

    def call(self, verb: Verb[T], instead: str) -> T:
        """Do what `verb` does with the client, and block until it is done.

        Raises:
            SyncInsideLoop: an event loop runs in this thread; `instead` names what to await there.
        """
        at_first_use.refuse_inside_loop(instead)
        return self._way().call(verb)

    async def acall(self, verb: Verb[T]) -> T:
        """Do what `verb` does with the client."""
        return await self._way().acall(verb)

    def connect_by(self, connect: Connect) -> None:
        """Build clients in this way from now on; one that is there already stays."""
        self._connect = connect

    def enqueue_in(self, tx: Any, requests: Sequence[JobRequest]) -> list[str]:
        """Hand jobs in as a part of the caller's transaction, here and now. Raises as `Joining.enqueue`.

        It goes through no loop: the connection belongs to this thread.
        """
        return self._any_client().joining.enqueue(tx, requests, self.wake_soon)

    async def aenqueue_in(self, tx: Any, requests: Sequence[JobRequest]) -> list[str]:
        """As `enqueue_in`, on this loop: the connection belongs to it."""
        return await self._any_client().joining.aenqueue(tx, requests, self.wake_soon)

    def _any_client(self) -> Client:
        """A client, open or not, for what needs no more than its settings."""
        if os.getpid() != self._pid:
            self._start_anew()
        own = None if self._own is None else self._own.crossing
        crossing = self._attached or own
        client = None if crossing is None else crossing.client
        if client is None:
            with self._starting:
                client = self._unopened = self._unopened or self._alone()()
        return client

    def wake_soon(self) -> None:
        """Wake the nodes; does not wait."""
        self._crossing().tell(lambda client: client.wake())

    def attach(self, client: Client | None) -> None:
        """Use a client on the running loop from now on; None ends that."""
        self._attached = None if client is None else at_first_use.Crossing[Any].here(self._alone(), client)

    def divert(self, way: Way | None) -> None:
        """Go another way from now on, before any other client; None ends that.

        Raises:
            AlreadyTesting: there is another way already.
        """
        if way is not None and self._diverted is not None:
            raise AlreadyTesting(
                "app.testing() is in force for this app already.",
                why="Jobs can go into one test's memory only.",
                hint="Use the queue that is there, or leave that block first.",
            )
        self._diverted = way

    def close(self) -> None:
        """Close the client of this app and end its thread, if there is one; the next call starts anew."""
        with self._starting:
            own, self._own = self._own, None
        if own is not None:
            own.close()

    def _way(self) -> Way:
        return self._diverted or self._crossing()

    def _crossing(self) -> Crossing[Client]:
        if os.getpid() != self._pid:  # forked by something that calls no hooks of Python's
            self._start_anew()
        if self._attached is not None and not self._attached.loop.is_closed():
            return self._attached
        own = self._own
        return (own or self._lodge()).crossing

    def _lodge(self) -> Lodging[Client]:
        with self._starting:
            if self._own is None:
                self._own = at_first_use.Lodging(self._alone())
                # whoever drops the last handle of an app that was never closed closes it, at exit at the latest
                weakref.finalize(self, self._own.close)
            return self._own

    def _alone(self) -> Callable[[], Client]:
        """Builds a client while this process does not fork: that may load a driver. Keeps no hold of this bridge."""
        return partial(_connect_between_forks, self._forks, self._connect)

    def _load(self) -> None:
        """Before a fork: what another thread is loading at that moment could never be loaded in the child."""
        at_first_use.load()

    def _start_anew(self) -> None:
        """In a forked child: nothing of the parent's works here, and none of it may be closed.

        The client's connections were closed before the fork (see store/sqlite/connected.py); its loop is kept, unused.
        """
        self._inherited += [self._own, self._attached]
        self._starting = threading.Lock()
        self._own = self._attached = self._unopened = None
        self._pid = os.getpid()


def _connect_between_forks(forks: Forks, connect: Connect) -> Client:
    with forks.none():
        return connect(forks.around)
