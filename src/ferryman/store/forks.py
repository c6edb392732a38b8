"""A child that this process forks inherits every open file, and with them locks and listening sockets.

The kernel frees a lock only when the last process that inherited it has closed it. So a child that outlives
its parent would make the dead node look alive, and keep its port. Connections to SQLite must not even be open
while the process forks (see sqlite/connected.py).
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager

AtFork = Callable[[Callable[[], None]], None]
"""Has a bound method called in each child that this process forks, as long as its object lives."""
AroundForks = Callable[[Callable[[], None], Callable[[], None]], None]
"""Has two bound methods called as long as their object lives: before each fork, and after it on both sides."""


def in_children(close: Callable[[], None]) -> None:
    """Call a bound method in each child, before anything else runs there. Implements `AtFork`."""
    os.register_at_fork(after_in_child=_weak(close))


def before_forks(act: Callable[[], None]) -> None:
    """Call a bound method before each fork, as long as its object lives."""
    os.register_at_fork(before=_weak(act))


def around_forks(before: Callable[[], None], after: Callable[[], None]) -> None:
    """Call a bound method before each fork, another one after it in parent and child. Implements `AroundForks`."""
    weak = _weak(after)
    os.register_at_fork(before=_weak(before), after_in_parent=weak, after_in_child=weak)


class Forks:
    """Makes forks wait for many parts by one hook, which is there before any of them.

    Python calls the hooks that it knew when a fork began. A part that registered itself while that fork waited for
    somebody else would open its connection, and then be forked in the middle of a step. Here a part that comes
    meanwhile waits until the fork is over.
    """

    def __init__(self, around_forks: AroundForks = around_forks) -> None:
        self._lock = threading.RLock()
        self._forking = 0
        """The thread that has taken the lock for its fork; only who holds the lock writes it."""
        self._parts: list[tuple[Callable[[], None], Callable[[], None]]] = []
        around_forks(self._before, self._after)

    def around(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        """Call two bound methods around each fork that begins from now on. Implements `AroundForks`."""
        with self._lock:
            self._parts.append((_weak(before), _weak(after)))

    @contextmanager
    def none(self) -> Generator[None]:
        """No other thread forks within this block."""
        with self._lock:
            yield

    def _before(self) -> None:
        self._lock.acquire()
        self._forking = threading.get_ident()
        for before, _ in reversed(self._parts):
            before()

    def _after(self) -> None:
        """In parent and child; a fork that began before this object was made has not called `_before`."""
        if self._forking == threading.get_ident():
            self._forking = 0
            for _, after in self._parts:
                after()
            self._lock.release()


def _weak(bound: Callable[[], None]) -> Callable[[], None]:
    """Calls a bound method without keeping its object alive."""
    method = weakref.WeakMethod(bound)

    def call() -> None:
        found = method()
        if found is not None:
            found()

    return call
