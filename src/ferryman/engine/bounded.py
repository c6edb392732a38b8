"""Calls of hooks, which must neither raise into the engine nor hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Final

SECONDS: Final = 5.0
"""How long a hook may take before it is cancelled."""
GRACE: Final = 1.0
"""Seconds that it then has to clean up."""


class TooSlow(Exception):
    """A hook took too long."""

    def __init__(self) -> None:
        super().__init__(f"It took longer than {SECONDS:g} s.")


async def call(function: Callable[..., object], *arguments: object) -> BaseException | None:
    """Call a `def` or an `async def` here; give what it raised instead of raising it.

    A SystemExit that leaves a task ends the event loop, so nothing may leave.
    """
    try:
        found = function(*arguments)
        if isawaitable(found):
            await found
    except BaseException as error:
        return error
    return None


async def in_time(function: Callable[..., object], *arguments: object) -> BaseException | None:
    """As `call`, in a task of its own that is cancelled after `SECONDS`; that gives a TooSlow."""
    task = asyncio.ensure_future(call(function, *arguments))
    try:
        await asyncio.wait((task,), timeout=SECONDS)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait((task,), timeout=GRACE)
    except asyncio.CancelledError:
        task.cancel()
        raise
    return TooSlow()
