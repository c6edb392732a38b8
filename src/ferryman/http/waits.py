"""Requests that take their time: they end early when the node stops, or when nobody waits for the answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.types import Scope

T = TypeVar("T")

STOP: Final = "ferryman.stop"
"""In the `state` of each scope: the event that is set once the node stops. Where there is none, it never does."""


def stop_of(scope: Scope) -> asyncio.Event | None:
    """What says that the node stops, if anything does."""
    found: asyncio.Event | None = scope.get("state", {}).get(STOP)
    return found


def is_stopping(scope: Scope) -> bool:
    """Whether the node stops."""
    stop = stop_of(scope)
    return stop is not None and stop.is_set()


async def before(work: Coroutine[Any, Any, T], *ends: Coroutine[Any, Any, object]) -> T | None:
    """What a work gives; None where one of the ends came first, and the work was cancelled.

    Raises: what the work raises, or the end that came first.
    """
    loop = asyncio.get_running_loop()
    working = loop.create_task(work)
    ending = [loop.create_task(end) for end in ends]
    try:
        await asyncio.wait([working, *ending], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, *ending):
            task.cancel()
        await asyncio.wait([working, *ending])
    if not working.cancelled():
        return working.result()
    for end in ending:
        if not end.cancelled():
            end.result()
    return None
