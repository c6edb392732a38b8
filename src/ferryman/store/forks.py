"""A child that this process forks inherits every open file, and with them locks and listening sockets.

The kernel frees a lock only when the last process that inherited it has closed it. So a child that outlives
its parent would make the dead node look alive, and keep its port. Connections to SQLite must not even be open
while the process forks (see sqlite/connected.py).
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

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


def _weak(bound: Callable[[], None]) -> Callable[[], None]:
    """Calls a bound method without keeping its object alive."""
    method = weakref.WeakMethod(bound)

    def call() -> None:
        found = method()
        if found is not None:
            found()

    return call
