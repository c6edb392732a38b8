"""A child that a handler forks inherits every open file, and with them locks and listening sockets.

The kernel frees a lock only when the last process that inherited it has closed it. So a child that outlives
its parent would make the dead node look alive, and keep its port.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

AtFork = Callable[[Callable[[], None]], None]
"""Has a bound method called in each child that this process forks, as long as its object lives."""


def in_children(close: Callable[[], None]) -> None:
    """Call a bound method in each child, before anything else runs there. Implements `AtFork`."""
    method = weakref.WeakMethod(close)

    def give_back() -> None:
        call = method()
        if call is not None:
            call()

    os.register_at_fork(after_in_child=give_back)
